//! How the registrations are: their status rows.

use std::time::Instant;

use super::Calendar;
use crate::schema::Index;
use crate::schema::sip_ep::{registration_status, registration_status_reason};
use crate::tree::{Publication, messages, notice};

/// One row of `RegistrationStatus`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationStatus {
    /// Its number, as long as it exists.
    pub index: u32,
    /// Its gateway.
    pub gateway: String,
    /// Its endpoint; empty for a unit registration.
    pub endpoint: String,
    /// The registrar as it is configured.
    pub registrar: String,
    /// The user that is registered.
    pub username: String,
    /// How it is.
    pub state: RegistrationState,
    /// The Contacts that the registrar has of us.
    pub contact: String,
    /// The seconds that the registrar granted them; 0 where it has none.
    pub granted: u32,
    /// When they are over.
    pub expires: Option<Instant>,
    /// What comes next by itself, and when.
    pub next: Option<(NextAction, Instant)>,
    /// The last final answer to a REGISTER: the code and the reason phrase.
    pub heard: Option<(u16, String)>,
    /// The route that the registrar gave for other requests (RFC 3608); empty for none.
    pub service_route: String,
    /// What is wrong, or odd.
    pub reason: String,
}

/// `registrationStatusReasonNextAction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAction {
    /// The first REGISTER, which was held back.
    Register,
    /// A refresh of what stands.
    Refresh,
    /// A further attempt after a failure.
    Retry,
}

/// `registrationStatusState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegistrationState {
    /// Not registered, and not trying.
    Unregistered = 100,
    /// The first REGISTER is on its way.
    Registering = 200,
    /// The registrar has our Contact.
    Registered = 300,
    /// It has, and is being asked again.
    Refreshing = 400,
    /// The Contact is being removed.
    Unregistering = 500,
    /// No answer, or no link.
    Unreachable = 600,
    /// The credentials were refused.
    AuthFailed = 700,
    /// The registrar said no.
    Rejected = 800,
    /// The settings leave nothing to send.
    ConfigError = 900,
    /// The registrar's answer makes no sense.
    InvalidResponse = 1000,
}

impl RegistrationStatus {
    pub(super) fn publish(&self, live: &mut Publication<'_>, calendar: &Calendar) {
        use registration_status::{ENDPOINT, GATEWAY, REGISTRAR, STATE, USERNAME};
        let row = Index::number(self.index);
        live.set(GATEWAY, &row, &self.gateway);
        live.set(ENDPOINT, &row, &self.endpoint);
        live.set(STATE, &row, self.state.label());
        live.set(REGISTRAR, &row, &self.registrar);
        live.set(USERNAME, &row, &self.username);
        self.publish_details(live, &row, calendar);
    }

    fn publish_details(&self, live: &mut Publication<'_>, row: &Index, calendar: &Calendar) {
        use registration_status_reason::{
            CONTACT, EXPIRES, GRANTED, LAST_CODE, LAST_PHRASE, NEXT_ACTION, NEXT_TIME,
            SERVICE_ROUTE, TEXT,
        };
        let (code, phrase) = match &self.heard {
            Some((code, phrase)) => (u32::from(*code), phrase.as_str()),
            None => (0, ""),
        };
        live.set(TEXT, row, &self.reason);
        live.set(CONTACT, row, bounded(&self.contact));
        live.set(GRANTED, row, self.granted);
        live.set(EXPIRES, row, calendar.date(self.expires));
        live.set(
            NEXT_ACTION,
            row,
            NextAction::label(self.next.map(|it| it.0)),
        );
        live.set(NEXT_TIME, row, calendar.date(self.next.map(|it| it.1)));
        live.set(LAST_CODE, row, code);
        live.set(LAST_PHRASE, row, phrase);
        live.set(SERVICE_ROUTE, row, bounded(&self.service_route));
    }

    pub(super) fn logged(&self) -> notice::Notice {
        let (gateway, user, server) = (&self.gateway, &self.username, &self.registrar);
        match self.state {
            RegistrationState::Registered | RegistrationState::Refreshing
                if self.reason.is_empty() =>
            {
                messages::REGISTERED.with([gateway, user, server])
            }
            RegistrationState::Registered | RegistrationState::Refreshing => {
                messages::REGISTERED_ODDLY.with([gateway, user, server, &self.reason])
            }
            RegistrationState::Unregistered if self.reason.is_empty() => {
                messages::UNREGISTERED.with([gateway, user, server])
            }
            _ => messages::REGISTRATION_FAILED.with([gateway, user, server, &self.reason]),
        }
    }
}

impl RegistrationState {
    fn label(self) -> registration_status::State {
        use registration_status::State;
        match self {
            Self::Unregistered => State::Unregistered,
            Self::Registering => State::Registering,
            Self::Registered => State::Registered,
            Self::Refreshing => State::Refreshing,
            Self::Unregistering => State::Unregistering,
            Self::Unreachable => State::Unreachable,
            Self::AuthFailed => State::AuthFailed,
            Self::Rejected => State::Rejected,
            Self::ConfigError => State::ConfigError,
            Self::InvalidResponse => State::InvalidResponse,
        }
    }
}

impl NextAction {
    fn label(next: Option<Self>) -> registration_status_reason::NextAction {
        use registration_status_reason::NextAction;
        match next {
            None => NextAction::None,
            Some(Self::Register) => NextAction::Register,
            Some(Self::Refresh) => NextAction::Refresh,
            Some(Self::Retry) => NextAction::Retry,
        }
    }
}

/// As much of a text as its column holds.
fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

/// The size of the columns for text that a registrar made.
const MAX_TEXT: usize = 1024;
