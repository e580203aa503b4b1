"""The tests. A package of this name that something else installs is not found before this one."""
