//! What a DHCP server says of the ACS (TR-069 §3.1): options 43 and 125.
//!
//! ```text
//! 43:  | code | length | value ... | code | length | value ... |
//! 125: | enterprise, 32 bits | length | as option 43 ... | enterprise ...
//! ```
//!
//! Anybody on the network may be that server, so a value that is not exactly
//! what it should be leaves nothing of its option. Nothing is trusted here.

use std::str::FromStr;

/// What was said of the ACS; all of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcsOptions {
    /// http or https.
    pub url: Option<String>,
    /// The provisioning code.
    pub code: Option<String>,
    /// The shortest wait after a failed session, in seconds.
    pub retry_minimum: Option<u16>,
    /// The growth of the waits, in thousandths.
    pub retry_multiplier: Option<u16>,
}

/// Why an option says nothing of an ACS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Longer than all that may be in it.
    #[error("option {0} is too long")]
    Long(u8),
    /// A length leads beyond the end.
    #[error("option {0} ends within a value")]
    Cut(u8),
    /// A value is there twice.
    #[error("option {0} has its value {1} twice")]
    Twice(u8, u8),
    /// A value is not what it should be.
    #[error("option {0} has something else than {2} as its value {1}")]
    Value(u8, u8, &'static str),
}

impl AcsOptions {
    /// What the two options say together; empty ones are not there. Option 125
    /// names its enterprise, so it counts where it says anything.
    pub fn parse(vendor: &[u8], identified: &[u8]) -> Result<Self, Fault> {
        let named = in_125(identified)?;
        match named == Self::default() {
            true => in_43(vendor),
            false => Ok(named),
        }
    }

    fn take(&mut self, what: What, option: u8, code: u8, value: &[u8]) -> Result<(), Fault> {
        let misfit = Fault::Value(option, code, what.is());
        let twice = Fault::Twice(option, code);
        let free = match what {
            What::Url => set(&mut self.url, url(value)),
            What::Code => set(&mut self.code, code_of(value)),
            What::Minimum => set(&mut self.retry_minimum, number(value, 1)),
            What::Multiplier => set(&mut self.retry_multiplier, number(value, 1000)),
        };
        match free {
            Some(true) => Ok(()),
            Some(false) => Err(twice),
            None => Err(misfit),
        }
    }
}

/// False: it was there already; None: the value is none.
fn set<T>(place: &mut Option<T>, value: Option<T>) -> Option<bool> {
    let value = value?;
    Some(place.replace(value).is_none())
}

/// The four values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Url,
    Code,
    Minimum,
    Multiplier,
}

impl What {
    fn is(self) -> &'static str {
        match self {
            Self::Url => "an http or https URL",
            Self::Code => "a text of up to 64 octets",
            Self::Minimum => "a number from 1 to 65535",
            Self::Multiplier => "a number from 1000 to 65535",
        }
    }

    fn of(number: u8) -> Option<Self> {
        [Self::Url, Self::Code, Self::Minimum, Self::Multiplier]
            .get(usize::from(number.checked_sub(1)?))
            .copied()
    }
}

fn in_43(octets: &[u8]) -> Result<AcsOptions, Fault> {
    let mut found = AcsOptions::default();
    if octets.len() > LONGEST {
        return Err(Fault::Long(43));
    }
    // Some servers put the URL there as it is.
    if let Some(url) = url(octets) {
        found.url = Some(url);
        return Ok(found);
    }
    values(43, octets, |code, value| match What::of(code) {
        Some(what) => found.take(what, 43, code, value),
        None => Ok(()),
    })?;
    Ok(found)
}

fn in_125(octets: &[u8]) -> Result<AcsOptions, Fault> {
    let mut found = AcsOptions::default();
    if octets.len() > LONGEST {
        return Err(Fault::Long(125));
    }
    let mut rest = octets;
    while let Some((head, behind)) = rest.split_first_chunk::<5>() {
        let enterprise = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let length = usize::from(head[4]);
        let value = behind.get(..length).ok_or(Fault::Cut(125))?;
        rest = &behind[length..];
        if enterprise == BROADBAND_FORUM {
            values(125, value, |code, value| {
                // 1 to 6 are those of annex F.
                match code.checked_sub(FIRST_OF_125).and_then(What::of) {
                    Some(what) => found.take(what, 125, code, value),
                    None => Ok(()),
                }
            })?;
        }
    }
    match rest.is_empty() {
        true => Ok(found),
        false => Err(Fault::Cut(125)),
    }
}

/// RFC 2132 §8.4: 0 is padding, 255 the end.
fn values(
    option: u8,
    octets: &[u8],
    mut each: impl FnMut(u8, &[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut rest = octets;
    loop {
        rest = match rest {
            [] | [END, ..] => return Ok(()),
            [PAD, behind @ ..] => behind,
            [code, length, behind @ ..] => {
                let length = usize::from(*length);
                let value = behind.get(..length).ok_or(Fault::Cut(option))?;
                each(*code, value)?;
                &behind[length..]
            }
            [_] => return Err(Fault::Cut(option)),
        }
    }
}

/// A text without control characters; some servers end it with a zero.
fn text(value: &[u8]) -> Option<&str> {
    let value = value.strip_suffix(&[0]).unwrap_or(value);
    let text = std::str::from_utf8(value).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// RFC 3986: nothing but what a URI may have, and a host.
fn url(value: &[u8]) -> Option<String> {
    let text = text(value)?;
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || URI.contains(&octet);
    let (scheme, rest) = text.split_once("://")?;
    let known = ["http", "https"]
        .iter()
        .any(|it| scheme.eq_ignore_ascii_case(it));
    let host = rest.split(['/', '?', '#']).next()?;
    let fits = text.bytes().all(fits) && text.len() <= LONGEST_URL;
    (known && fits && !host.is_empty()).then(|| text.to_owned())
}

fn code_of(value: &[u8]) -> Option<String> {
    let text = text(value)?;
    (text.len() <= LONGEST_CODE).then(|| text.to_owned())
}

/// In decimal digits; else in binary, as servers write what they take for a number.
fn number(value: &[u8], least: u16) -> Option<u16> {
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    let number = match (text(value), value) {
        (Some(text), _) if digits(text) => u16::from_str(text).ok()?,
        // A text that is none of a number.
        (Some(_), _) => return None,
        (None, [one]) => u16::from(*one),
        (None, [high, low] | [0, 0, high, low]) => u16::from_be_bytes([*high, *low]),
        (None, _) => return None,
    };
    (number >= least).then_some(number)
}

const PAD: u8 = 0;
const END: u8 = 255;
/// The enterprise number of the Broadband Forum.
const BROADBAND_FORUM: u32 = 3561;
/// Of option 125 the values begin after it.
const FIRST_OF_125: u8 = 10;
/// Octets of an option, which may come in several pieces.
const LONGEST: usize = 1024;
const LONGEST_URL: usize = 256;
const LONGEST_CODE: usize = 64;
/// RFC 3986 §2.2, §2.3, and the percent sign.
const URI: &[u8] = b"-._~:/?#[]@!$&'()*+,;=%";

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[(u8, &[u8])]) -> Vec<u8> {
        let mut octets = Vec::new();
        for (code, value) in values {
            octets.extend([*code, u8::try_from(value.len()).expect("short")]);
            octets.extend(*value);
        }
        octets
    }

    fn forum(values: &[(u8, &[u8])]) -> Vec<u8> {
        let values = of(values);
        let length = u8::try_from(values.len()).expect("short");
        [&3561_u32.to_be_bytes()[..], &[length], &values].concat()
    }

    const ALL: &[(u8, &[u8])] = &[
        (1, b"https://acs.example:7548/cwmp"),
        (2, b"site-7"),
        (3, b"7"),
        (4, b"3000"),
    ];

    fn all() -> AcsOptions {
        AcsOptions {
            url: Some("https://acs.example:7548/cwmp".to_owned()),
            code: Some("site-7".to_owned()),
            retry_minimum: Some(7),
            retry_multiplier: Some(3000),
        }
    }

    #[test]
    fn option_43_says_four_things_among_others_and_padding() {
        assert_eq!(AcsOptions::parse(&of(ALL), &[]), Ok(all()));
        let padded = [&[0, 0][..], &of(ALL), &of(&[(66, b"x")]), &[255, 9, 9]].concat();
        assert_eq!(AcsOptions::parse(&padded, &[]), Ok(all()));
        assert_eq!(AcsOptions::parse(&[], &[]), Ok(AcsOptions::default()));
        let zero = of(&[(1, b"http://acs/\0")]);
        let url = AcsOptions::parse(&zero, &[]).expect("a URL").url;
        assert_eq!(url.as_deref(), Some("http://acs/"));
        let bare = AcsOptions::parse(b"http://acs.example/", &[]);
        assert_eq!(
            bare.expect("a URL").url.as_deref(),
            Some("http://acs.example/")
        );
    }

    #[test]
    fn numbers_are_digits_or_binary() {
        let minimum = |value: &[u8]| {
            let said = AcsOptions::parse(&of(&[(3, value)]), &[]);
            said.ok().and_then(|said| said.retry_minimum)
        };
        assert_eq!(minimum(b"60"), Some(60));
        assert_eq!(minimum(b"5"), Some(5));
        assert_eq!(minimum(b"\x07"), Some(7));
        assert_eq!(minimum(b"\x0b\xb8"), Some(3000));
        assert_eq!(minimum(b"\0\0\x0b\xb8"), Some(3000));
    }

    #[test]
    fn option_125_counts_where_the_forum_says_something_in_it() {
        let values: Vec<(u8, &[u8])> = ALL.iter().map(|it| (it.0 + 10, it.1)).collect();
        let foreign = [&9_u32.to_be_bytes()[..], &[3, 11, 1, b'x']].concat();
        let both = [foreign.clone(), forum(&values)].concat();
        let other = of(&[(1, b"http://other/")]);
        assert_eq!(AcsOptions::parse(&other, &both), Ok(all()));
        // Annex F has other values there, which are no ACS.
        let annex_f = forum(&[(4, b"0090F8"), (5, b"S1")]);
        let url = AcsOptions::parse(&other, &annex_f).expect("43 counts").url;
        assert_eq!(url.as_deref(), Some("http://other/"));
        let url = AcsOptions::parse(&other, &foreign).expect("43 counts").url;
        assert_eq!(url.as_deref(), Some("http://other/"));
    }

    #[test]
    fn values_that_are_none_leave_nothing_of_their_option() {
        let url = "an http or https URL";
        for bad in [
            &b"\xc0\xa8\x01\x01"[..],
            b"ftp://acs/",
            b"http://",
            b"http:///x",
            b"http://a b/",
            b"http://a/\n",
            b"http://a/\x1b[2J",
            b"http://a/`id`",
            b"http://a/\"",
            b"http://a/<x>",
            b"http://a/\\",
            b"http://a/|x",
            b"http://a/{x}",
            b"http://\xff/",
            b"",
        ] {
            let options = of(&[(2, b"code"), (1, bad)]);
            let said = AcsOptions::parse(&options, &[]);
            assert_eq!(said, Err(Fault::Value(43, 1, url)), "{bad:?}");
        }
        for (code, bad) in [
            (2, &b"a\nb"[..]),
            (2, &[b'x'; 65]),
            (3, b"0"),
            (3, b"+5"),
            (3, b"65536"),
            (3, b"\0\x01\0\x05"),
            (3, b"1234x"),
            (3, b""),
            (4, b"999"),
        ] {
            let said = AcsOptions::parse(&of(&[(code, bad)]), &[]);
            assert!(matches!(said, Err(Fault::Value(43, at, _)) if at == code));
        }
        let twice = of(&[(1, b"http://a/"), (1, b"http://b/")]);
        assert_eq!(AcsOptions::parse(&twice, &[]), Err(Fault::Twice(43, 1)));
    }

    #[test]
    fn what_a_shell_would_run_is_a_url_like_any_other_or_none() {
        let harmless = of(&[(1, b"http://a/$(reboot);x'&y")]);
        let url = AcsOptions::parse(&harmless, &[]).expect("a URL").url;
        assert_eq!(url.as_deref(), Some("http://a/$(reboot);x'&y"));
    }

    #[test]
    fn lengths_that_lead_beyond_the_end_are_refused() {
        let whole = of(ALL);
        let ends: Vec<usize> = [0, 31, 39, 42, 48].to_vec();
        for length in 0..whole.len() {
            let said = AcsOptions::parse(&whole[..length], &[]);
            assert_eq!(said.is_ok(), ends.contains(&length), "{length}");
        }
        let named = forum(&[(11, b"http://a/")]);
        for length in 1..named.len() {
            let said = AcsOptions::parse(&[], &named[..length]);
            assert_eq!(said, Err(Fault::Cut(125)), "{length}");
        }
        let inner = [&3561_u32.to_be_bytes()[..], &[3, 11, 9, b'h']].concat();
        assert_eq!(AcsOptions::parse(&[], &inner), Err(Fault::Cut(125)));
        assert_eq!(AcsOptions::parse(&[0; 1025], &[]), Err(Fault::Long(43)));
        let most = of(&[(9, &[b'x'; 253])]);
        assert_eq!(most.len(), 255);
        assert_eq!(AcsOptions::parse(&most, &[]), Ok(AcsOptions::default()));
    }
}
