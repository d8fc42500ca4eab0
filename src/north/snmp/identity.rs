//! Which engine this is, and its clock (RFC 3411 §5, RFC 3414 §2.2).
//!
//! The id is made once, at first boot; the number of boots is raised and made
//! durable by the caller before the engine speaks for the first time. Time is
//! always an argument.

/// The largest msgAuthoritativeEngineBoots and -Time.
pub const MAX_CLOCK: u32 = 0x7fff_ffff;

/// How far a sender's time may be off, in seconds (RFC 3414 §2.2.3).
const TIME_WINDOW: u32 = 150;

/// The private enterprise number that starts the id (RFC 5612 keeps it for
/// documentation; a product has its own).
const ENTERPRISE: u32 = 32473;

/// Format octet of an id that ends in octets of the maker's choice.
const FORMAT_OCTETS: u8 = 5;

/// localEngineID (RFC 5343 §3.1): the engine that hears it, for a manager that
/// does not know its id yet.
pub const LOCAL_ENGINE_ID: [u8; 5] = [0x80, 0, 0, 0, 6];

/// An snmpEngineID: `enterprise with the top bit set | 5 | eight octets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineId([u8; 13]);

impl EngineId {
    /// The id that `random` makes; keep it for the life of the device.
    pub fn new(random: [u8; 8]) -> Self {
        let mut id = [0; 13];
        id[..4].copy_from_slice(&(ENTERPRISE | 0x8000_0000).to_be_bytes());
        id[4] = FORMAT_OCTETS;
        id[5..].copy_from_slice(&random);
        Self(id)
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// snmpEngineBoots and snmpEngineTime at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// How often the engine started, this time included; stays at
    /// [`MAX_CLOCK`] for ever once there.
    pub boots: u32,
    /// Seconds since then.
    pub time: u32,
}

impl Clock {
    /// The clock of an engine that started with `boots`, `seconds` ago. After
    /// 68 years time starts anew and counts as a boot (RFC 3414 §2.2.2).
    pub fn after(boots: u32, seconds: u64) -> Self {
        let period = u64::from(MAX_CLOCK) + 1;
        let boots = (u64::from(boots) + seconds / period).min(u64::from(MAX_CLOCK));
        let time = seconds % period;
        Self {
            boots: u32::try_from(boots).unwrap_or(MAX_CLOCK),
            time: u32::try_from(time).unwrap_or(MAX_CLOCK),
        }
    }

    /// Whether a message of `sent` is fresh (RFC 3414 §3.2 (7) a).
    pub fn admits(self, sent: Self) -> bool {
        self.boots != MAX_CLOCK
            && self.boots == sent.boots
            && self.time.abs_diff(sent.time) <= TIME_WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_of_format_5_below_the_enterprise() {
        let id = EngineId::new([1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(
            id.as_bytes(),
            [0x80, 0x00, 0x7e, 0xd9, 5, 1, 2, 3, 4, 5, 6, 7, 8]
        );
    }

    #[test]
    fn the_window_is_150_seconds_to_both_sides() {
        let here = Clock {
            boots: 4,
            time: 1000,
        };
        let admits = |boots, time| here.admits(Clock { boots, time });
        assert!(admits(4, 850) && admits(4, 1150));
        assert!(!admits(4, 849) && !admits(4, 1151));
        assert!(!admits(3, 1000) && !admits(5, 1000));
    }

    #[test]
    fn time_rolls_over_into_boots_and_boots_stay_at_the_end() {
        let period = u64::from(MAX_CLOCK) + 1;
        assert_eq!(Clock::after(7, 12), Clock { boots: 7, time: 12 });
        assert_eq!(Clock::after(7, period + 3), Clock { boots: 8, time: 3 });
        let latched = Clock::after(MAX_CLOCK - 1, 5 * period);
        assert_eq!(latched.boots, MAX_CLOCK);
        assert!(!latched.admits(latched));
    }
}
