"""Known terms are read however they are typed; their other names are refused, other things not."""

import pytest

from lenadose import AdverseEvent, CallError, Patient
from lenadose.record.event_names import event_name, term_fault
from lenadose.record.event_terms import KNOWN_TERMS, MEASURED, UNGRADED
from lenadose.record.other_names import OTHER_NAMES

OTHER_THINGS = """
abdominal pain; acidosis; adrenal insufficiency; agitation; akathisia; alkaline phosphatase
increased; allergic reaction; allergic rhinitis; alopecia; anal hemorrhage; anemia; anorexia;
anxiety; aortic injury; arthralgia; arthritis; ascites; aspiration; asystole; ataxia; atrial
fibrillation; atrial flutter; avascular necrosis; back pain; bloating; blood lactate dehydrogenase
increased; blurred vision; body odor; bone pain; breast pain; bronchitis; bruising; burn; capillary
leak syndrome; cardiac arrest; cataract; CD4 lymphocytes decreased; chest pain - cardiac; chills;
cholesterol high; chronic kidney disease; cognitive disturbance; colitis; concentration impairment;
confusion; conjunctivitis; constipation; cough; CPK increased; creatinine increased; cushingoid;
cystitis noninfective; dehydration; delayed orgasm; dental caries; depression; device related
infection; diarrhea; disseminated intravascular coagulation; dizziness; dry eye; dry mouth; dry
skin; dysesthesia; dysgeusia; dysmenorrhea; dyspareunia; dyspepsia; dysphagia; dyspnea; eczema;
edema face; edema limbs; edema trunk; ejection fraction decreased; encephalopathy; enterocolitis;
eosinophilia; epistaxis; erythema multiforme; eye pain; fall; fatigue; fever; flank pain;
flatulence; flu like symptoms; flushing; fracture; gait disturbance; gastric hemorrhage;
gastroesophageal reflux disease; GGT increased; gout; growth accelerated; hallucinations; headache;
hearing impaired; heart failure; hematoma; hematuria; hemolysis; hemolytic uremic syndrome;
hemorrhoids; hepatic failure; herpes simplex reactivation; hirsutism; hot flashes; hypercalcemia;
hyperglycemia; hyperhidrosis; hyperkalemia; hypersomnia; hypertension; hyperthyroidism;
hypertriglyceridemia; hypocalcemia; hypokalemia; hypotension; hypothyroidism; hypoxia; ileus;
infusion related reaction; insomnia; intracranial hemorrhage; investigations - other, specify;
laryngeal edema; lethargy; leukocytosis; lipase increased; lung infection; lymphedema; lymphocyte
count decreased; malaise; memory impairment; menopause; mood altered; mucositis oral; muscle cramp;
muscle weakness lower limb; myalgia; myelodysplastic syndrome; myocarditis; nail changes; nausea;
neck pain; neuralgia; neutrophil count increased; non-cardiac chest pain; osteoporosis; pain in
extremity; palmar-plantar erythrodysesthesia syndrome; palpitations; pancreatitis; paresthesia;
pelvic pain; periorbital edema; peripheral ischemia; peripheral motor neuropathy; phlebitis;
photosensitivity; platelet count increased; pleural effusion; pneumonitis; pregnancy loss; premature
menopause; presyncope; proteinuria; pruritus; pulmonary edema; pulmonary fibrosis; pulmonary
hypertension; purpura; rectal hemorrhage; renal hemorrhage; respiratory failure; restlessness;
retinal tear; scleral disorder; seizure; sepsis; sinus bradycardia; skin hyperpigmentation; skin
infection; skin ulceration; sleep apnea; somnolence; stomach pain; superficial thrombophlebitis;
superficial vein thrombosis; syncope; thrombotic thrombocytopenic purpura; thyroid stimulating
hormone increased; tinnitus; toothache; tremor; tumor lysis syndrome; upper respiratory infection;
urinary tract infection; urticaria; uterine pain; vaginal discharge; vaginal dryness; vaginal
infection; vaginal pain; vasculitis; vertigo; vomiting; weight gain; weight loss; wheezing; white
blood cell decreased; wound infection; heat stroke; hemorrhagic stroke; blood bilirubin decreased;
alanine aminotransferase decreased; heparin-induced thrombocytopenia; cutaneous lupus erythematosus;
thrombolysis; thrombocytosis; vascular access complication; immune thrombocytopenia; nephropathy;
obstructive uropathy; uropathy; granulocytosis; thrombocythaemia; pulmonary infection; brain
infection; neutrophils high; raised platelet count; low bilirubin; elevated creatinine
"""
"""Preferred terms of CTCAE 5.0, and some other words, that no criterion knows."""


@pytest.mark.parametrize("term", [" ".join(term.split()) for term in OTHER_THINGS.split(";")])
def test_a_term_for_another_thing_is_accepted(term: str) -> None:
    assert term_fault(term) is None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Stevens–Johnson syndrome", "stevens-johnson syndrome"),
        ("STEVENS‑JOHNSON  Syndrome ", "stevens-johnson syndrome"),
        ("stevens−johnson syndrome", "stevens-johnson syndrome"),
        ("Missed\u00a0period", "missed period"),
        ("missed \u2009 period", "missed period"),
        ("ａｎｇｉｏｅｄｅｍａ", "angioedema"),
        ("an\u00adaphylaxis", None),
        ("Rash", "rash"),
        ("Suspected thromboembolism", "suspected thromboembolism"),
    ],
)
def test_typography_makes_no_other_term(written: str, name: str | None) -> None:
    assert (event_name(written) in KNOWN_TERMS) == (name is not None)
    if name in UNGRADED:
        event = AdverseEvent(written)
        assert (event.name, event.term) == (name, written)


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("peripheral sensory neuropaty", 'did you mean "peripheral sensory neuropathy"?'),
        ("anaphylaxsis", 'did you mean "anaphylaxis"?'),
        ("neutropenai", "did you mean the result, to be given as neutrophils?"),
        ("deep vein trombosis", 'did you mean "venous thromboembolism"?'),
        ("angio-edema", 'write "angioedema"'),
        ("Angio-oedema", 'write "angioedema"'),
        ("Stevens Johnson syndrome", 'write "stevens-johnson syndrome"'),
        ("DVT", 'write "venous thromboembolism"'),
        ("PE", 'write "venous thromboembolism"'),
        ("MI", 'write "arterial thromboembolism"'),
        ("Stro\u212ae", 'write "arterial thromboembolism"'),
        ("Transient ischaemic attack", 'write "arterial thromboembolism"'),
        ("Thromboembolic event", 'write "venous thromboembolism" or "arterial thromboembolism"'),
        ("SJS/TEN", 'write "stevens-johnson syndrome" or "toxic epidermal necrolysis"'),
        ("DRESS", 'write "drug reaction with eosinophilia and systemic symptoms"'),
        ("rash, bullous", 'write "bullous rash"'),
        ("Rash maculo-papular", 'write "rash"'),
        ("ALT", 'write "alanine aminotransferase increased"'),
        ("AST increased", 'write "aspartate aminotransferase increased"'),
        ("Increased alanine aminotransferase", 'write "alanine aminotransferase increased"'),
        ("Hyperbilirubinaemia", 'write "blood bilirubin increased"'),
        ("Menstruation irregular", 'write "missed period"'),
        ("Vaginal haemorrhage", 'write "abnormal vaginal bleeding"'),
        ("febrile neutropaenia", 'write "febrile neutropenia"'),
        ("missed menstrual cycle", 'write "missed period"'),
        ("Lung embolus", 'write "venous thromboembolism"'),
        ("bilateral pulmonary emboli", 'write "venous thromboembolism", or other words'),
        ("pulmonary artery embolism", 'write "venous thromboembolism"'),
        ("left pulmonary artery thrombus", 'write "venous thromboembolism", or other words'),
        ("portal vein thrombus", 'write "venous thromboembolism", or other words'),
        ("Myocardial infarct", 'write "arterial thromboembolism"'),
        ("blood clots", 'write "venous thromboembolism" or "arterial thromboembolism"'),
        ("SJS or TEN", 'write "stevens-johnson syndrome" or "toxic epidermal necrolysis"'),
        (
            "drug reaction with eosinophilia & systemic symptoms",
            'write "drug reaction with eosinophilia and systemic symptoms"',
        ),
        ("raised ALAT", 'write "alanine aminotransferase increased"'),
        ("SGPT elevated", 'write "alanine aminotransferase increased"'),
        ("LFTs raised", 'write "alanine aminotransferase increased" or "aspartate'),
        ("bilirubin rise", 'write "blood bilirubin increased"'),
        ("small fibre neuropathy", 'write "peripheral sensory neuropathy"'),
        ("vaginal bleed", 'write "abnormal vaginal bleeding"'),
        ("susp. PE", 'write "suspected thromboembolism"'),
        ("likely DVT", 'write "suspected thromboembolism"'),
        ("neutrophils reduced", "give the result, as neutrophils"),
        ("reduced platelet count", "give the result, as platelets"),
        ("creatinine clearance reduced", "give the result, as creatinine_clearance"),
        ("Left iliac vein thrombosis", 'write "venous thromboembolism", or other words'),
        ("hereditary angioedema", 'write "angioedema", or other words for another thing'),
        ("suspected DVT", 'write "suspected thromboembolism"'),
        ("DVT?", 'write "suspected thromboembolism"'),
        ("possible left leg deep vein thrombosis", 'write "suspected thromboembolism"'),
        ("Neutrophil count decreased", "give the result, as neutrophils"),
        ("neutropaenia", "give the result, as neutrophils"),
        ("Afebrile neutropenia", "give the result, as neutrophils"),
        ("platelet count decreased", "give the result, as platelets"),
        ("Creatinine clearance decreased", "give the result, as creatinine_clearance"),
    ],
)
def test_another_name_is_refused_with_the_known_one(term: str, words: str) -> None:
    with pytest.raises(CallError) as refused:
        AdverseEvent(term, 3, "5.0")
    (fault,) = refused.value.faults
    assert fault.place == "term"
    assert fault.fix.startswith(words)


@pytest.mark.parametrize("name", [name for _, names in OTHER_NAMES for name in names])
def test_every_other_name_leads_to_its_known_terms(name: str) -> None:
    known = next(terms for terms, names in OTHER_NAMES if name in names)
    fault = term_fault(name.upper())
    assert fault is not None
    assert fault.fix == "write " + " or ".join(f'"{term}"' for term in known)


@pytest.mark.parametrize("name", [name for names in MEASURED.values() for name in names])
def test_every_low_result_is_asked_for(name: str) -> None:
    fault = term_fault(name)
    assert fault is not None
    assert fault.fix.startswith("give the result, as ")


@pytest.mark.parametrize("term", KNOWN_TERMS)
def test_a_known_term_is_accepted(term: str) -> None:
    assert term_fault(term) is None


@pytest.mark.parametrize(
    ("character", "words"),
    [
        ("\u00ad", "holds a soft hyphen (U+00AD)"),
        ("\u200b", "holds a zero width space (U+200B)"),
        ("\u202e", "holds a right-to-left override (U+202E)"),
        ("\u200d", "holds a zero width joiner (U+200D)"),
        ("\u3164", "holds a hangul filler (U+3164)"),
        ("\U000e0041", "holds a tag latin capital letter a (U+E0041)"),
        ("\ufeff", "holds a zero width no-break space (U+FEFF)"),
        ("\x07", "holds a control character (U+0007)"),
        ("\t", "holds a tab (U+0009)"),
        ("\n", "holds a line break (U+000A)"),
        ("\ud800", "holds half of a surrogate pair (U+D800)"),
    ],
)
def test_a_character_that_is_not_seen_is_refused_by_name(character: str, words: str) -> None:
    with pytest.raises(CallError) as refused:
        AdverseEvent(f"angio{character}edema")
    assert [str(fault) for fault in refused.value.faults] == [f"term: {words}; take it out"]
    with pytest.raises(CallError) as refused:
        Patient(id=f"p-{character}01")
    assert [str(fault) for fault in refused.value.faults] == [f"id: {words}; take it out"]
    with pytest.raises(CallError) as refused:
        Patient(subtype=f"pannic{character}ulitis")
    assert [str(fault) for fault in refused.value.faults] == [f"subtype: {words}; take it out"]
    assert Patient(id="Zoë – 01").id == "Zoë – 01"
