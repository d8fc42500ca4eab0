//! Nothing: the package is its tests, `tests/oracle`.
