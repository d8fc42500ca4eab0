//! Digit maps (RFC 2705 §3.4, RFC 3435 §2.1.5): whether keys make a number yet.
//!
//! For whoever collects keys. A map such as `(11|0T|[2-7]xxx|x.T)` is read
//! once; [`DigitMap::verdict`] judges all keys pressed so far. It keeps no
//! time: that the timer ran out is one more key, [`TIMER`].

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The key that stands for a timer that ran out.
pub const TIMER: char = 'T';
/// The longest text of a map.
pub const MAX_TEXT: usize = 1024;

/// Which numbers there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigitMap {
    text: String,
    alternatives: Vec<Vec<Element>>,
}

/// Which keys may come next, and whether they may come any number of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Element {
    /// A bit for each of [`KEYS`].
    keys: u32,
    repeated: bool,
}

/// What some keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A number.
    Complete,
    /// The beginning of one.
    Partial,
    /// Neither.
    Impossible,
}

/// Why a text is no digit map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Fault {
    /// Longer than [`MAX_TEXT`].
    #[error("a digit map has {MAX_TEXT} characters at most")]
    Long,
    /// Something that is no key.
    #[error("{0:?} is no key of a digit map")]
    Key(char),
    /// A bracket or parenthesis without its other half.
    #[error("a bracket of the digit map is not closed, or never opened")]
    Bracket,
    /// A range from a higher digit to a lower, or of what has no order.
    #[error("a range of the digit map has no order")]
    Range,
    /// A dot behind nothing.
    #[error("a dot of the digit map repeats nothing")]
    Dot,
    /// An alternative without a key.
    #[error("an alternative of the digit map is empty")]
    Empty,
}

impl DigitMap {
    /// What these keys are; the first alternative that is whole counts, whatever the others could still be.
    #[must_use]
    pub fn verdict(&self, keys: &str) -> Verdict {
        let mut begun = false;
        for alternative in &self.alternatives {
            let reached = reach(alternative, keys);
            if reached.last() == Some(&true) {
                return Verdict::Complete;
            }
            begun |= reached.contains(&true);
        }
        match begun {
            true => Verdict::Partial,
            false => Verdict::Impossible,
        }
    }

    /// The text that it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Before which elements an alternative may stand after these keys; the last place is its end.
fn reach(alternative: &[Element], keys: &str) -> Vec<bool> {
    let mut places = vec![false; alternative.len() + 1];
    places[0] = true;
    skip(alternative, &mut places);
    for key in keys.chars() {
        let bit = bit(key).unwrap_or(0);
        let mut next = vec![false; places.len()];
        for (place, element) in alternative.iter().enumerate() {
            if places[place] && element.keys & bit != 0 {
                next[if element.repeated { place } else { place + 1 }] = true;
            }
        }
        skip(alternative, &mut next);
        places = next;
    }
    places
}

/// What is repeated may also not come at all.
fn skip(alternative: &[Element], places: &mut [bool]) {
    for (place, element) in alternative.iter().enumerate() {
        places[place + 1] |= places[place] && element.repeated;
    }
}

impl FromStr for DigitMap {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if text.len() > MAX_TEXT {
            return Err(Fault::Long);
        }
        let bare: String = text.chars().filter(|it| !it.is_whitespace()).collect();
        let list = match (bare.strip_prefix('('), bare.strip_suffix(')')) {
            (Some(_), Some(_)) => &bare[1..bare.len() - 1],
            (None, None) => &bare,
            _ => return Err(Fault::Bracket),
        };
        let alternatives: Result<_, _> = list.split('|').map(alternative).collect();
        Ok(Self {
            text: text.to_owned(),
            alternatives: alternatives?,
        })
    }
}

fn alternative(text: &str) -> Result<Vec<Element>, Fault> {
    let mut elements: Vec<Element> = Vec::new();
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        let keys = match letter {
            '.' => {
                elements.last_mut().ok_or(Fault::Dot)?.repeated = true;
                continue;
            }
            '[' => {
                let (inside, behind) = rest.as_str().split_once(']').ok_or(Fault::Bracket)?;
                rest = behind.chars();
                range(inside)?
            }
            '(' | ')' | ']' => return Err(Fault::Bracket),
            'x' | 'X' => DIGITS,
            key => bit(key).ok_or(Fault::Key(key))?,
        };
        elements.push(Element {
            keys,
            repeated: false,
        });
    }
    match elements.is_empty() {
        true => Err(Fault::Empty),
        false => Ok(elements),
    }
}

/// What stands between brackets: keys, and digits from one to another.
fn range(text: &str) -> Result<u32, Fault> {
    let letters: Vec<char> = text.chars().collect();
    let mut keys = 0;
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let last = letters
            .get(at + 2)
            .filter(|_| letters.get(at + 1) == Some(&'-'));
        match last {
            Some(&last) => {
                if !letter.is_ascii_digit() || !last.is_ascii_digit() || last < letter {
                    return Err(Fault::Range);
                }
                keys |= (letter..=last).filter_map(bit).fold(0, |all, it| all | it);
                at += 3;
            }
            None => {
                keys |= bit(letter).ok_or(Fault::Key(letter))?;
                at += 1;
            }
        }
    }
    match keys {
        0 => Err(Fault::Empty),
        keys => Ok(keys),
    }
}

fn bit(key: char) -> Option<u32> {
    let key = key.to_ascii_uppercase();
    KEYS.find(key).map(|place| 1 << place)
}

impl fmt::Display for DigitMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

const KEYS: &str = "0123456789*#ABCDT";
const DIGITS: u32 = 0x3ff;

#[cfg(test)]
mod tests {
    use super::Verdict::{Complete, Impossible, Partial};
    use super::*;

    fn map(text: &str) -> DigitMap {
        text.parse().expect("a digit map")
    }

    /// The example of RFC 3435 §2.1.5.
    const EXAMPLE: &str = "(0T|00T|[1-7]xxx|8xxxxxxx|#xxxxxxx|*xx|91xxxxxxxxxx|9011x.T)";

    #[test]
    fn the_example_of_the_rfc_is_judged_as_it_says() {
        let map = map(EXAMPLE);
        for (keys, verdict) in [
            ("0", Partial),
            ("0T", Complete),
            ("00T", Complete),
            ("1234", Complete),
            ("123", Partial),
            ("12345", Impossible),
            ("*69", Complete),
            ("#1234567", Complete),
            ("9011", Partial),
            ("9011T", Complete),
            ("901144123", Partial),
            ("901144123T", Complete),
            ("912345678901", Complete),
            ("92", Impossible),
            ("8T", Impossible),
        ] {
            assert_eq!(map.verdict(keys), verdict, "{keys}");
        }
    }

    #[test]
    fn the_first_whole_alternative_counts_although_another_could_go_on() {
        assert_eq!(map("(x.T|123)").verdict("123"), Complete);
        assert_eq!(map("12|123").verdict("12"), Complete);
    }

    #[test]
    fn any_digits_wait_for_the_timer() {
        let map = map("x.T");
        assert_eq!(map.verdict("2001"), Partial);
        assert_eq!(map.verdict("2001T"), Complete);
        assert_eq!(map.verdict("2*"), Impossible);
    }

    #[test]
    fn letters_count_in_either_case_and_spaces_not_at_all() {
        assert_eq!(map(" ( Xx | a# t ) ").verdict("A#T"), Complete);
        assert_eq!(map("[13-5*]x").verdict("*0"), Complete);
        assert_eq!(map("[13-5*]x").verdict("20"), Impossible);
    }

    #[test]
    fn what_is_no_map_is_refused_with_the_reason() {
        for (text, fault) in [
            ("", Fault::Empty),
            ("1||2", Fault::Empty),
            ("[]", Fault::Empty),
            (".1", Fault::Dot),
            ("[12", Fault::Bracket),
            ("(12", Fault::Bracket),
            ("1)", Fault::Bracket),
            ("((1))", Fault::Bracket),
            ("[5-1]", Fault::Range),
            ("[A-C]", Fault::Range),
            ("12e", Fault::Key('e')),
        ] {
            assert_eq!(text.parse::<DigitMap>(), Err(fault), "{text}");
        }
        assert_eq!("1".repeat(1025).parse::<DigitMap>(), Err(Fault::Long));
    }
}
