//! One notification: what an engine says happened.
//!
//! For every engine, which says it, and for the faces that carry it out: the
//! local log, syslog, and later SNMP notifications. Each is an instance of a
//! [`Message`] registered in [`super::messages`]; there are no free texts, so
//! that a manager may rely on the number. Arguments never hold a secret.

use std::fmt::{self, Display, Write};

/// How grave a notice is; the numbers are those of `minSeverity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Severity {
    /// How something happened, for whoever looks for a fault.
    Debug = 100,
    /// Something happened.
    Info = 200,
    /// Something is not as it should be, or worth a look in any case.
    Warning = 300,
    /// Something failed.
    Error = 400,
    /// A part of the device does not work at all.
    Critical = 500,
}

/// The services of the dictionary, by which settings and log messages are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Service {
    /// Network interfaces.
    Bni = 200,
    /// Service control.
    Scm = 400,
    /// Host configuration, DNS, SNTP.
    Hoc = 700,
    /// Scripts and configuration images.
    Conf = 800,
    /// The SNMP agent.
    Snmp = 900,
    /// Users.
    Aaa = 1000,
    /// Syslog and the local log.
    Nlm = 1100,
    /// SIP endpoints and gateways.
    SipEp = 1400,
    /// Endpoint administration.
    EpAdm = 1500,
    /// Unit information.
    Dcm = 2000,
    /// Certificates.
    Cert = 2300,
    /// The TR-069 client.
    Cwmp = 3900,
}

/// One line of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Who says it.
    pub service: Service,
    /// Its number within the service, from 1.
    pub id: u16,
    /// How grave it is, always.
    pub severity: Severity,
    /// Its text, with the name of each argument in braces.
    pub template: &'static str,
}

/// A registered message that takes `N` arguments.
#[derive(Clone, Copy, Debug)]
pub struct Message<const N: usize> {
    kind: Kind,
}

/// A message with its arguments: what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Who says it.
    pub service: Service,
    /// The number of the message within the service.
    pub id: u16,
    /// How grave it is.
    pub severity: Severity,
    /// The whole text, at most [`TEXT_LIMIT`] octets.
    pub text: String,
}

/// The longest text of a notice, in octets.
pub const TEXT_LIMIT: usize = 1024;

/// The longest argument, in octets; what is longer ends in an ellipsis.
pub const ARGUMENT_LIMIT: usize = 512;

impl<const N: usize> Message<N> {
    /// Registers a message; one whose template does not name `N` arguments does not compile.
    pub const fn new(kind: Kind) -> Message<N> {
        assert!(
            arguments(kind.template) == N,
            "the template names another number of arguments"
        );
        Message { kind }
    }

    /// Its line of the registry.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The message with its arguments, in the order in which the template names them.
    pub fn with(&self, values: [&dyn Display; N]) -> Notice {
        let mut text = Bounded::new(TEXT_LIMIT);
        let mut rest = self.kind.template;
        for value in values {
            let (before, after) = rest.split_once('{').unwrap_or((rest, ""));
            rest = after.split_once('}').unwrap_or(("", after)).1;
            text.push(before);
            text.push(&argument(value));
        }
        text.push(rest);
        let Kind {
            service,
            id,
            severity,
            ..
        } = self.kind;
        Notice {
            service,
            id,
            severity,
            text: text.finish(),
        }
    }
}

impl Notice {
    /// `<service number>.<id>`, as scripts and receivers know the message.
    pub fn name(&self) -> String {
        format!("{}.{}", self.service.number(), self.id)
    }
}

impl Severity {
    /// All of them, the gravest last.
    pub const ALL: [Severity; 5] = [
        Severity::Debug,
        Severity::Info,
        Severity::Warning,
        Severity::Error,
        Severity::Critical,
    ];

    /// The number that `minSeverity` and the log table use.
    pub const fn number(self) -> u16 {
        self as u16
    }
}

impl Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Debug => "debug",
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        })
    }
}

impl Service {
    /// All of them, by number.
    pub const ALL: [Service; 12] = [
        Service::Bni,
        Service::Scm,
        Service::Hoc,
        Service::Conf,
        Service::Snmp,
        Service::Aaa,
        Service::Nlm,
        Service::SipEp,
        Service::EpAdm,
        Service::Dcm,
        Service::Cert,
        Service::Cwmp,
    ];

    /// The service's number in the dictionary.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The service's name, as it prefixes its objects.
    pub const fn name(self) -> &'static str {
        match self {
            Service::Bni => "Bni",
            Service::Scm => "Scm",
            Service::Hoc => "Hoc",
            Service::Conf => "Conf",
            Service::Snmp => "Snmp",
            Service::Aaa => "Aaa",
            Service::Nlm => "Nlm",
            Service::SipEp => "SipEp",
            Service::EpAdm => "EpAdm",
            Service::Dcm => "Dcm",
            Service::Cert => "Cert",
            Service::Cwmp => "Cwmp",
        }
    }
}

impl Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many arguments a template names.
const fn arguments(template: &str) -> usize {
    let octets = template.as_bytes();
    let (mut at, mut count) = (0, 0);
    while at < octets.len() {
        if octets[at] == b'{' {
            count += 1;
        }
        at += 1;
    }
    count
}

fn argument(value: &dyn Display) -> String {
    let mut text = Bounded::new(ARGUMENT_LIMIT);
    // Writing stops at the bound, and what is there is kept.
    let _ = write!(text, "{value}");
    text.finish()
}

/// Text that stops growing at its bound, and says so with an ellipsis.
struct Bounded {
    text: String,
    limit: usize,
    cut: bool,
}

impl Bounded {
    fn new(limit: usize) -> Bounded {
        Bounded {
            text: String::new(),
            limit: limit - ELLIPSIS.len(),
            cut: false,
        }
    }

    fn push(&mut self, more: &str) {
        let room = self.limit - self.text.len();
        let fits = more.floor_char_boundary(room);
        if !self.cut {
            self.text.push_str(&more[..fits]);
        }
        self.cut |= fits < more.len();
    }

    fn finish(mut self) -> String {
        if self.cut {
            self.text.push_str(ELLIPSIS);
        }
        self.text
    }
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.push(more);
        if self.cut { Err(fmt::Error) } else { Ok(()) }
    }
}

const ELLIPSIS: &str = "...";

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Message<2> = Message::new(Kind {
        service: Service::SipEp,
        id: 7,
        severity: Severity::Warning,
        template: "{gateway}: no link to {server} yet",
    });

    #[test]
    fn arguments_take_the_places_that_the_template_names() {
        let notice = LINK.with([&"default", &5061]);
        assert_eq!(notice.text, "default: no link to 5061 yet");
        assert_eq!(notice.name(), "1400.7");
        assert_eq!(notice.severity, Severity::Warning);
    }

    #[test]
    fn braces_in_an_argument_stay_text() {
        assert_eq!(
            LINK.with([&"{server}", &"}{"]).text,
            "{server}: no link to }{ yet"
        );
    }

    #[test]
    fn a_long_argument_is_cut_at_a_character_and_says_so() {
        let long = "é".repeat(1000);
        let text = LINK.with([&long, &"x"]).text;
        let (argument, rest) = text.split_once(':').expect("a colon");
        assert!(argument.len() <= ARGUMENT_LIMIT && argument.ends_with("é..."));
        assert_eq!(rest, " no link to x yet");
    }

    #[test]
    fn severities_are_ordered_and_carry_the_numbers_of_min_severity() {
        assert!(Severity::ALL.is_sorted());
        assert_eq!(
            Severity::ALL.map(Severity::number),
            [100, 200, 300, 400, 500]
        );
    }

    #[test]
    fn services_carry_the_numbers_of_the_dictionary() {
        assert!(Service::ALL.is_sorted());
        assert_eq!(Service::SipEp.number(), 1400);
        assert_eq!(Service::Cert.to_string(), "Cert");
    }
}
