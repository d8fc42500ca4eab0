//! Which row of Authentication answers a challenge.

use demarc::sip::message::HeaderName;

use super::{Told, Wish};

/// The user names that were answered a challenge with, the last ones of each user.
fn answered(told: &Told) -> Vec<String> {
    let registers = told.registers().into_iter().rev();
    let mut seen = registers.filter_map(|it| it.headers.text(&HeaderName::Authorization));
    let value = seen.next().unwrap_or_default();
    let names = value.split("username=\"").skip(1);
    names
        .filter_map(|it| it.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// After a challenge of the realm `test` by a registrar whose password is this.
fn challenged(password: &str, wishes: &[Wish<'_>]) -> Told {
    let mut told = Told::new(wishes);
    told.world.registrars[0].manner.password = Some(password.to_owned());
    told.begin(2);
    told
}

#[test]
pub(crate) fn the_credentials_have_the_user_and_the_password_of_the_row() {
    let told = challenged("secret", &[("Authentication[Index=1].Username", "alice")]);
    assert_eq!(answered(&told), ["alice"]);
    assert!(told.world.is_registered());
    let mut told = challenged("another", &[]);
    assert!(!told.world.is_registered());
    told.set(&[("Authentication[Index=1].Password", "another")]);
    assert!(told.world.is_registered());
}

#[test]
pub(crate) fn another_realm_is_answered_only_where_the_realm_is_not_validated() {
    let mut told = challenged("secret", &[("Authentication[Index=1].Realm", "elsewhere")]);
    assert!(answered(&told).is_empty());
    told.set(&[("Authentication[Index=1].ValidateRealm", "disable")]);
    assert!(told.world.is_registered());
    let mut told = challenged("secret", &[("Authentication[Index=1].Realm", "elsewhere")]);
    told.set(&[("Authentication[Index=1].Realm", "test")]);
    assert!(told.world.is_registered());
}

#[test]
pub(crate) fn a_row_is_for_the_requests_that_its_criteria_name() {
    let rows = [
        ("UserAgent[EpId=Port01].Username", "555"),
        ("UserAgent[EpId=Port01].Register", "enable"),
    ];
    for (criteria, column, right, wrong) in [
        ("endpoint", "EpId", "Port01", "Port02"),
        ("gateway", "GatewayName", "default", "other"),
        ("username", "UsernameCriteria", "555", "556"),
    ] {
        let column = format!("Authentication[Index=1].{column}");
        let selection = ("Authentication[Index=1].CriteriaSelection", criteria);
        let mut told = challenged("secret", &[rows[0], rows[1], selection, (&column, wrong)]);
        assert!(answered(&told).is_empty(), "{criteria} {wrong}");
        told.set(&[(&column, right)]);
        assert_eq!(answered(&told), ["100"], "{criteria} {right}");
    }
}

#[test]
pub(crate) fn the_first_row_that_fits_answers_wherever_it_was_moved() {
    let second = [
        ("Authentication[Index=2].Username", "second"),
        ("Authentication[Index=2].Password", "secret"),
    ];
    assert_eq!(answered(&challenged("secret", &second)), ["100"]);
    for (command, verb) in [
        ("Authentication[Index=2].Up", "up"),
        ("Authentication[Index=1].Down", "down"),
        ("Authentication[Index=1].Delete", "delete"),
    ] {
        let mut told = Told::new(&second);
        told.commit(&[(command, verb)]);
        told.world.registrars[0].manner.password = Some("secret".to_owned());
        told.begin(2);
        assert_eq!(answered(&told), ["second"], "{command}");
    }
}

#[test]
pub(crate) fn a_row_that_is_inserted_goes_before_the_one_that_stood_there() {
    for (more, answers) in [
        (
            [
                ("Authentication[Index=1].Username", "new"),
                ("Authentication[Index=1].Password", "secret"),
            ]
            .as_slice(),
            "new",
        ),
        (&[("Authentication[Index=1].Delete", "delete")], "100"),
    ] {
        let mut told = Told::new(&[("Authentication[Index=1].Insert", "insert")]);
        told.commit(more);
        told.world.registrars[0].manner.password = Some("secret".to_owned());
        told.begin(2);
        assert_eq!(answered(&told), [answers]);
    }
}
