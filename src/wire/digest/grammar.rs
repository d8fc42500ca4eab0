//! `scheme name=value, ...`: the common ground of challenges and credentials.

/// A scheme and its parameters.
pub(super) type Scheme<'a> = (&'a str, Vec<(&'a str, &'a str)>);

/// Reads `scheme SP param *("," param)`, once or several times in one value: a
/// word that no `=` follows starts the next scheme. Reading stops at what fits
/// neither.
pub(super) fn schemes(value: &str) -> Vec<Scheme<'_>> {
    let mut found: Vec<Scheme<'_>> = Vec::new();
    let mut rest = value.trim_start_matches(GAP);
    while !rest.is_empty() && found.len() <= MAX_CHALLENGES {
        let end = rest.find(|char| "=,".contains(char) || GAP.contains(&char));
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        let after = after.trim_start_matches(SPACE);
        let after = match (after.strip_prefix('='), found.last_mut()) {
            (Some(after), Some((_, params))) if params.len() < MAX_PARAMS => {
                let Some((text, after)) = param_value(after.trim_start_matches(SPACE)) else {
                    return found;
                };
                params.push((word, text));
                after
            }
            (Some(_), _) => return found,
            (None, _) => {
                found.push((word, Vec::new()));
                after
            }
        };
        rest = after.trim_start_matches(GAP);
    }
    found
}

/// A token or what stands between quotes, and the rest. What would need an
/// escape between quotes is in no token (RFC 3261 §25.1).
fn param_value(text: &str) -> Option<(&str, &str)> {
    let Some(inner) = text.strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find(GAP).unwrap_or(text.len()));
        return (!token.contains(['"', '\\'])).then_some((token, rest));
    };
    let mut escaped = false;
    for (at, char) in inner.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((&inner[..at], &inner[at + 1..])),
            _ => {}
        }
    }
    None
}

/// A parameter's value; names compare without case.
pub(super) fn param<'a>(params: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    params
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| *value)
}

/// Our own text between quotes.
pub(super) fn escape(plain: &str) -> String {
    plain.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Folds are white space.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];
/// What stands between parameters.
const GAP: [char; 5] = [' ', '\t', '\r', '\n', ','];
/// Challenges read of one response.
pub(super) const MAX_CHALLENGES: usize = 16;
/// Parameters read of one challenge.
const MAX_PARAMS: usize = 32;
