//! What an operator, a line and its call say to each other.

use std::time::Duration;

use thiserror::Error;

use super::admin::AdminOrder;
use super::dialling::Plan;

/// How a line behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What may be called.
    pub plan: Plan,
    /// What is called as soon as the line is lifted.
    pub auto_call: Option<String>,
    /// After so long a call is answered without an operator.
    pub auto_answer: Option<Duration>,
    /// After so long a call that nobody answers is declined.
    pub no_answer: Duration,
    /// Whether a call may be held.
    pub hold: Allowance,
    /// Whether a call may be handed to somebody else.
    pub transfer: Allowance,
}

/// Whether something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// It may.
    Allowed,
    /// It may not.
    Forbidden,
}

/// One fact for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// How it behaves from now on.
    Settings(Box<Settings>),
    /// The operator of the telephone.
    Order(Order),
    /// The operator of the unit.
    Admin(AdminOrder),
    /// Its call.
    Call(Told),
    /// Time passed.
    Tick,
}

/// What the operator of a telephone does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Lifts it, to press keys.
    Lift,
    /// Calls a number that is given as a whole.
    Dial(String),
    /// Presses a key: of a number, or in a call.
    Key(char),
    /// Answers the call that rings.
    Answer,
    /// Ends whatever there is.
    HangUp,
    /// Lets the peer wait.
    Hold,
    /// Speaks with the peer again.
    Resume,
    /// Hands the peer to somebody else.
    Transfer(String),
}

/// What a call tells its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Somebody calls: as which number.
    Offered(String),
    /// The called party rings.
    Ringing,
    /// The called party can be heard before it answers.
    EarlyMedia,
    /// The called party answered.
    Answered,
    /// The hold or resumption that was wished for stands.
    Held(Hold),
    /// It was refused: all is as it was.
    HoldRefused,
    /// The peer holds us, or does not any more.
    PeerHeld(Hold),
    /// The peer pressed a key.
    Key(char),
    /// The transfer was refused with this status; the call goes on.
    TransferRefused(u16),
    /// The call is over; why.
    Ended(String),
}

/// Whether one waits for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hold {
    /// It waits.
    On,
    /// Both speak.
    #[default]
    Off,
}

/// One thing that a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// To its call.
    Wish(Wish),
    /// What is heard at the line from now on.
    Sound(Sound),
    /// To the operator.
    Shown(Shown),
}

/// What a line wants of its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A call to this number.
    Call(String),
    /// That the caller hears of the ringing.
    Ring,
    /// To answer.
    Accept,
    /// Not to answer.
    Decline(Declined),
    /// The end of the call.
    HangUp,
    /// That the peer waits, or does not any more.
    Hold(Hold),
    /// That the peer calls this number instead.
    Transfer(String),
    /// That the peer hears a key.
    Key(char),
}

/// Why a call is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Declined {
    /// There is another.
    #[error("the line is engaged")]
    Busy,
    /// The operator of the unit forbids it.
    #[error("the line is locked")]
    Locked,
    /// Nobody came.
    #[error("nobody answered")]
    NoAnswer,
    /// The operator of the telephone did not want to.
    #[error("the call was rejected")]
    Rejected,
}

/// What is heard at a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    /// Nothing.
    Silence,
    /// That a number may be dialled.
    DialTone,
    /// The bell.
    Bell,
    /// That the called party rings.
    Ringback,
    /// The peer.
    Peer,
}

/// What the operator is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The state is another.
    State(State),
    /// The peer pressed a key.
    Key(char),
    /// What was dialled may not be called.
    NumberRefused,
    /// The peer could not be made to wait, or to go on.
    HoldRefused,
    /// The transfer was refused with this status.
    TransferRefused(u16),
    /// The call is over; why.
    Ended(String),
    /// An order was not obeyed.
    Misfit(Misfit),
}

/// Why an order is not obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Misfit {
    /// There is a call already.
    #[error("the line is engaged")]
    Engaged,
    /// Nothing rings.
    #[error("no call rings")]
    NotRinging,
    /// Nothing stands that this could be done to.
    #[error("there is no answered call")]
    NoCall,
    /// The last wish of its kind is not answered yet.
    #[error("the last such order is still under way")]
    Underway,
    /// The settings forbid it.
    #[error("the settings of the endpoint do not allow it")]
    Forbidden,
    /// The unit's operator forbids it.
    #[error("the line is locked")]
    Locked,
    /// There is no such key.
    #[error("a telephone has no such key")]
    NoKey,
}

/// What a line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Nothing.
    #[default]
    OnHook,
    /// Keys are pressed.
    Dialling,
    /// A call was begun.
    Calling,
    /// The called party rings.
    RingingOut,
    /// Somebody calls.
    RingingIn,
    /// A call stands: whom we hold, and who holds us.
    Talking {
        /// Whether the peer waits for us.
        ours: Hold,
        /// Whether we wait for the peer.
        theirs: Hold,
    },
}

impl Default for Settings {
    /// With the dictionary's defaults.
    fn default() -> Self {
        Self {
            plan: Plan::default(),
            auto_call: None,
            auto_answer: None,
            no_answer: Duration::from_secs(180),
            hold: Allowance::Allowed,
            transfer: Allowance::Allowed,
        }
    }
}
