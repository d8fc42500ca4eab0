//! The least, the most and the average of a figure.

/// Of the figures that it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    count: u32,
    sum: f64,
    least: f64,
    most: f64,
}

impl Spread {
    /// One more.
    pub fn add(&mut self, figure: f64) {
        self.least = if self.count == 0 {
            figure
        } else {
            self.least.min(figure)
        };
        self.most = if self.count == 0 {
            figure
        } else {
            self.most.max(figure)
        };
        self.sum += figure;
        self.count = self.count.saturating_add(1);
    }

    /// Together with those of another: of a period, each connection's.
    pub fn join(&mut self, other: &Self) {
        match (self.count, other.count) {
            (_, 0) => {}
            (0, _) => *self = *other,
            _ => {
                self.least = self.least.min(other.least);
                self.most = self.most.max(other.most);
                self.sum += other.sum;
                self.count = self.count.saturating_add(other.count);
            }
        }
    }

    /// `None` of none.
    pub fn least(&self) -> Option<f64> {
        (self.count > 0).then_some(self.least)
    }

    /// `None` of none.
    pub fn most(&self) -> Option<f64> {
        (self.count > 0).then_some(self.most)
    }

    /// `None` of none.
    pub fn average(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_average() {
        let spread = Spread::default();
        assert_eq!(
            (spread.least(), spread.most(), spread.average()),
            (None, None, None)
        );
    }

    #[test]
    fn two_spreads_are_that_of_all_their_figures() {
        let of = |figures: &[f64]| {
            let mut spread = Spread::default();
            figures.iter().for_each(|figure| spread.add(*figure));
            spread
        };
        let mut joined = of(&[3.0, 5.0]);
        joined.join(&of(&[1.0]));
        joined.join(&Spread::default());
        assert_eq!(joined, of(&[3.0, 5.0, 1.0]));
        assert_eq!(joined.average(), Some(3.0));
        let mut empty = Spread::default();
        empty.join(&joined);
        assert_eq!(empty, joined);
    }
}
