//! The order in which SRV records are tried (RFC 2782, "Usage rules").
//!
//! Lower priorities first; within one, a weighted draw, where a weight of
//! zero is drawn last unless chance falls on it.

use super::Srv;
use crate::sip::rng::Rng;

/// `records` in the order to try them.
pub(super) fn arrange(mut records: Vec<Srv>, rng: &mut Rng) -> Vec<Srv> {
    // Zero weights stand first within their priority, as the draw demands.
    records.sort_by_key(|srv| (srv.priority, srv.weight != 0));
    let mut arranged = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let equals = records
            .iter()
            .take_while(|it| it.priority == priority)
            .count();
        let drawn = draw(&records[..equals], rng);
        arranged.push(records.remove(drawn));
    }
    arranged
}

fn draw(equals: &[Srv], rng: &mut Rng) -> usize {
    let sum: u64 = equals.iter().map(|srv| u64::from(srv.weight)).sum();
    let chosen = rng.up_to(sum);
    let mut running = 0;
    equals
        .iter()
        .position(|srv| {
            running += u64::from(srv.weight);
            running >= chosen
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv {
            priority,
            weight,
            port: 5060,
            target: target.to_owned(),
        }
    }

    #[test]
    fn lower_priorities_come_first() {
        let records = vec![srv(20, 100, "c"), srv(10, 0, "a"), srv(15, 1, "b")];
        let arranged = arrange(records, &mut Rng::new([0; 32]));
        let names: Vec<_> = arranged.iter().map(|it| it.target.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn weights_share_the_first_place_and_zero_is_rare_but_possible() {
        let mut rng = Rng::new([3; 32]);
        let mut first = [0_u32; 3];
        for _ in 0..4000 {
            let records = vec![srv(1, 60, "0"), srv(1, 20, "1"), srv(1, 0, "2")];
            let place: usize = arrange(records, &mut rng)[0]
                .target
                .parse()
                .expect("a number");
            first[place] += 1;
        }
        // 60 : 20 : 0, where zero is drawn once in 81.
        assert!((2800..3200).contains(&first[0]), "{first:?}");
        assert!((800..1200).contains(&first[1]), "{first:?}");
        assert!((10..120).contains(&first[2]), "{first:?}");
    }

    #[test]
    fn every_record_is_kept() {
        let records: Vec<_> = (0..20).map(|n| srv(n % 3, n, "x")).collect();
        assert_eq!(arrange(records, &mut Rng::new([9; 32])).len(), 20);
    }
}
