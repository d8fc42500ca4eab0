//! Collecting a number, key by key or at once.
//!
//! For a line that was lifted. A [`Dialling`] waits so long for the first
//! key, so long for each next one, and so long for all of them; a [`Plan`]
//! says which numbers may be called and how they are written. Refused maps
//! are asked before allowed ones.

use std::time::{Duration, Instant};

use super::digit_map::{DigitMap, TIMER, Verdict};

/// The most keys of a number.
pub const MAX_KEYS: usize = 64;

/// Which numbers may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// In order; the first that fits counts.
    pub allowed: Vec<Allowed>,
    /// Never called.
    pub refused: Vec<DigitMap>,
    /// How long the first key is waited for.
    pub first: Duration,
    /// How long each key after it.
    pub between: Duration,
    /// How long all of them.
    pub completion: Duration,
}

/// Numbers that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Which they are.
    pub map: DigitMap,
    /// What is called instead; each `x` stands for the whole number.
    pub transformation: String,
}

/// What some keys came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// More are needed.
    More,
    /// This is to be called.
    Number(String),
    /// They are no number that may be called.
    Refused,
}

impl Plan {
    /// Judges keys, of which the last may be [`TIMER`].
    fn judge(&self, keys: &str) -> Outcome {
        let is_complete = |map: &DigitMap| map.verdict(keys) == Verdict::Complete;
        if self.refused.iter().any(is_complete) {
            return Outcome::Refused;
        }
        if let Some(allowed) = self.allowed.iter().find(|it| is_complete(&it.map)) {
            let number = keys.trim_end_matches(TIMER);
            return Outcome::Number(allowed.transformation.replace('x', number));
        }
        let partial = |it: &Allowed| it.map.verdict(keys) == Verdict::Partial;
        match self.allowed.iter().any(partial) {
            true => Outcome::More,
            false => Outcome::Refused,
        }
    }

    /// Judges a number that was given as a whole: nothing more is waited for.
    #[must_use]
    pub fn judge_whole(&self, number: &str) -> Outcome {
        let is_key = |it: char| it.is_ascii_digit() || "*#ABCDabcd".contains(it);
        if number.is_empty() || number.len() > MAX_KEYS || !number.chars().all(is_key) {
            return Outcome::Refused;
        }
        match self.judge(number) {
            Outcome::More => self.end(number),
            judged => judged,
        }
    }

    fn end(&self, keys: &str) -> Outcome {
        match self.judge(&format!("{keys}{TIMER}")) {
            Outcome::More => Outcome::Refused,
            judged => judged,
        }
    }
}

/// A number in the making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialling {
    keys: String,
    next: Instant,
    last: Instant,
}

impl Dialling {
    /// The line was lifted.
    #[must_use]
    pub fn begin(now: Instant, plan: &Plan) -> Self {
        Self {
            keys: String::new(),
            next: now + plan.first,
            last: now + plan.completion,
        }
    }

    /// A key was pressed.
    pub fn press(&mut self, now: Instant, key: char, plan: &Plan) -> Outcome {
        if self.keys.len() >= MAX_KEYS || key == TIMER {
            return Outcome::Refused;
        }
        self.keys.push(key);
        self.next = now + plan.between;
        plan.judge(&self.keys)
    }

    /// Time passed.
    #[must_use]
    pub fn tick(&self, now: Instant, plan: &Plan) -> Outcome {
        if now < self.deadline() {
            return Outcome::More;
        }
        match self.keys.is_empty() {
            true => Outcome::Refused,
            false => plan.end(&self.keys),
        }
    }

    /// When to come back.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.next.min(self.last)
    }

    /// The keys so far.
    #[must_use]
    pub fn keys(&self) -> &str {
        &self.keys
    }
}

impl Default for Plan {
    /// Any digits, with the dictionary's times.
    fn default() -> Self {
        let any = "x.T".parse().map(|map| Allowed {
            map,
            transformation: "x".to_owned(),
        });
        Self {
            allowed: any.into_iter().collect(),
            refused: Vec::new(),
            first: Duration::from_secs(20),
            between: Duration::from_secs(3),
            completion: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(map: &str, transformation: &str) -> Allowed {
        Allowed {
            map: map.parse().expect("a digit map"),
            transformation: transformation.into(),
        }
    }

    fn number(text: &str) -> Outcome {
        Outcome::Number(text.into())
    }

    #[test]
    fn digits_are_called_when_no_more_come() {
        let (plan, now) = (Plan::default(), Instant::now());
        let mut dialling = Dialling::begin(now, &plan);
        assert_eq!(dialling.press(now, '2', &plan), Outcome::More);
        assert_eq!(dialling.press(now, '0', &plan), Outcome::More);
        let late = now + Duration::from_secs(3);
        assert_eq!(dialling.deadline(), late);
        assert_eq!(dialling.tick(now, &plan), Outcome::More);
        assert_eq!(dialling.tick(late, &plan), number("20"));
    }

    #[test]
    fn a_line_that_is_lifted_and_left_gives_up() {
        let (plan, now) = (Plan::default(), Instant::now());
        let dialling = Dialling::begin(now, &plan);
        let late = now + Duration::from_secs(20);
        assert_eq!(dialling.tick(late, &plan), Outcome::Refused);
    }

    #[test]
    fn who_presses_for_ever_is_stopped() {
        let (plan, mut now) = (Plan::default(), Instant::now());
        let start = now;
        let mut dialling = Dialling::begin(now, &plan);
        while now < start + Duration::from_secs(60) {
            assert_eq!(dialling.tick(now, &plan), Outcome::More);
            assert_eq!(dialling.press(now, '1', &plan), Outcome::More);
            now += Duration::from_secs(2);
        }
        assert!(matches!(dialling.tick(now, &plan), Outcome::Number(_)));
    }

    #[test]
    fn a_refused_number_is_refused_although_it_is_allowed_too() {
        let plan = Plan {
            refused: vec!["0900x.T".parse().expect("a digit map")],
            ..Plan::default()
        };
        assert_eq!(plan.judge_whole("0900123"), Outcome::Refused);
        assert_eq!(plan.judge_whole("090"), number("090"));
    }

    #[test]
    fn a_number_is_written_as_its_map_wants_it() {
        let plan = Plan {
            allowed: vec![allowed("2xx", "49x"), allowed("x.T", "x")],
            ..Plan::default()
        };
        assert_eq!(plan.judge_whole("200"), number("49200"));
        assert_eq!(plan.judge_whole("3000"), number("3000"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let plan = Plan::default();
        for text in ["", "2T", "bob", "2 0", &"1".repeat(65)] {
            assert_eq!(plan.judge_whole(text), Outcome::Refused, "{text}");
        }
    }
}
