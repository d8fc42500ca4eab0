//! One line of a script, taken apart.
//!
//! For scripts, the command line and whoever else takes an assignment or an
//! operation as text. A name's brackets may hold any character in quotes, so
//! the `=` that counts is the first outside them.

use super::fault::Problem;
use crate::schema::{self, Base, Syntax, Value};

/// An operation with its arguments, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `Service.Operation`.
    pub operation: String,
    /// The arguments in their order.
    pub arguments: Vec<(String, String)>,
}

/// The name and the value of `NAME=VALUE`, both as written.
pub fn assignment(text: &str) -> Option<(&str, &str)> {
    let (head, rest) = split_head(text.trim());
    let value = rest.trim_start().strip_prefix('=')?;
    Some((head, value.trim()))
}

/// Reads `Service.Operation Argument=value ...`; the culprit comes with the problem.
pub fn operation(text: &str) -> Result<Call, (String, Problem)> {
    let (head, rest) = split_head(text.trim());
    let unreadable = || (head.to_owned(), Problem::Unreadable);
    let (service, name) = head.split_once('.').ok_or_else(unreadable)?;
    let word = |word: &str| !word.is_empty() && word.chars().all(char::is_alphanumeric);
    let service = schema::service(service).ok_or_else(unreadable)?;
    if !word(name) {
        return Err(unreadable());
    }
    Ok(Call {
        operation: format!("{}.{name}", service.get().name),
        arguments: arguments(rest, head)?,
    })
}

/// Everything before the first `=` or space outside brackets, and the rest.
fn split_head(text: &str) -> (&str, &str) {
    let (mut inside, mut quoted, mut escaped) = (false, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if inside => quoted = !quoted,
            '[' | ']' if !quoted => inside = letter == '[',
            '=' if !inside => return text.split_at(at),
            space if space.is_whitespace() && !inside => return text.split_at(at),
            _ => {}
        }
    }
    (text, "")
}

/// A bad one is told by its name, else by the operation's: its value may be a secret.
fn arguments(text: &str, of: &str) -> Result<Vec<(String, String)>, (String, Problem)> {
    let mut rest = text.trim_start();
    let mut arguments = Vec::new();
    while !rest.is_empty() {
        let unnamed = || (of.to_owned(), Problem::BadArgument);
        let (name, value) = rest.split_once('=').ok_or_else(unnamed)?;
        if name.is_empty() || !name.chars().all(char::is_alphanumeric) {
            return Err(unnamed());
        }
        let bad = || (name.to_owned(), Problem::BadArgument);
        let end = value_end(value).ok_or_else(bad)?;
        let (value, tail) = value.split_at(end);
        if tail.starts_with(|next: char| !next.is_whitespace()) {
            return Err(bad());
        }
        let value = argument_value(value).ok_or_else(bad)?;
        arguments.push((name.to_owned(), value));
        rest = tail.trim_start();
    }
    Ok(arguments)
}

/// A bare argument ends at a space, a quoted one behind its closing quote.
fn value_end(text: &str) -> Option<usize> {
    if !text.starts_with('"') {
        return Some(text.find(char::is_whitespace).unwrap_or(text.len()));
    }
    let mut escaped = false;
    let closing = text
        .char_indices()
        .skip(1)
        .find(|(_, letter)| match letter {
            _ if escaped => {
                escaped = false;
                false
            }
            '\\' => {
                escaped = true;
                false
            }
            letter => *letter == '"',
        });
    closing.map(|(at, _)| at + 1)
}

/// A bare argument stands for itself: a digest in hexadecimal is no `0x...` string.
fn argument_value(text: &str) -> Option<String> {
    if !text.starts_with('"') {
        return Some(text.to_owned());
    }
    let value = Value::parse(text, &Syntax::plain(Base::Octets)).ok()?;
    String::from_utf8(value.as_octets()?.to_vec()).ok()
}

/// What stands before the first space.
pub(super) fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_equals_sign_that_counts_is_the_first_outside_brackets() {
        let split = assignment(r#"Aaa.Users[UserName="a]=\"b"].Password = "x=y" "#);
        assert_eq!(
            split,
            Some((r#"Aaa.Users[UserName="a]=\"b"].Password"#, r#""x=y""#))
        );
        assert_eq!(assignment("Hoc.SystemName="), Some(("Hoc.SystemName", "")));
        for none in [
            "Cert.Transfer Url=x",
            "Hoc.SystemName",
            "Aaa.Users[UserName=x",
        ] {
            assert_eq!(assignment(none), None, "{none}");
        }
    }

    #[test]
    fn arguments_are_bare_or_quoted() {
        let call = operation(r#"cert.Transfer Url="https://a/b c\"" Sha256=0xAb  Type=host"#);
        let pairs = [
            ("Url", "https://a/b c\""),
            ("Sha256", "0xAb"),
            ("Type", "host"),
        ];
        let arguments = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            call,
            Ok(Call {
                operation: "Cert.Transfer".to_owned(),
                arguments: arguments.to_vec()
            })
        );
    }

    #[test]
    fn a_bad_argument_is_named() {
        for (text, culprit) in [
            ("Cert.Transfer Url", "Cert.Transfer"),
            ("Cert.Transfer Type=host Url=\"open", "Url"),
            ("Cert.Transfer =x", "Cert.Transfer"),
            ("Cert.Transfer A=\"b\"c", "A"),
        ] {
            let refused = operation(text);
            assert_eq!(refused, Err((culprit.to_owned(), Problem::BadArgument)));
        }
        assert_eq!(
            operation("Nope.Transfer"),
            Err(("Nope.Transfer".to_owned(), Problem::Unreadable))
        );
    }
}
