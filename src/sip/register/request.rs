//! Writing a REGISTER (RFC 3261 §10.2, RFC 5626 §4.2).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;

use super::{Purpose, Registration};
use crate::sip::auth::Refusal;
use crate::sip::hostport::{HostPort, bracketed};
use crate::sip::link::Flow;
use crate::sip::message::{CSeq, HeaderName, Method, Request, Uri, escape_param, escape_user};
use crate::sip::plan::Binding;
use crate::sip::rng::Rng;
use crate::sip::settings::{EscapeFormat, OutboundType, Settings};
use crate::sip::transport::{Transport, via};

/// Where a REGISTER leaves from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What it is sent through.
    pub flow: Flow,
    /// Where the gateway listens.
    pub listeners: BTreeMap<Transport, SocketAddr>,
}

/// How the settings want requests to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// Max-Forwards.
    pub max_forwards: i32,
    /// User-Agent, where it is sent.
    pub user_agent: Option<String>,
    /// Whether `#` is escaped.
    pub escape_pound: bool,
    /// The case of escapes.
    pub escape_format: EscapeFormat,
    /// The URI parameter `user`.
    pub user_parameter: String,
    /// Whether Contacts carry the display name.
    pub contact_display: bool,
    /// `+sip.instance`; empty for none.
    pub instance_id: String,
}

impl Style {
    /// The style that `settings` ask for.
    pub fn of(settings: &Settings) -> Self {
        let interop = &settings.interop;
        Self {
            max_forwards: interop.max_forwards_value,
            user_agent: interop.user_agent(&settings.unit),
            escape_pound: interop.escape_pound_in_sip_uri_username,
            escape_format: interop.escape_format,
            user_parameter: interop.sip_uri_user_parameter_value.clone(),
            contact_display: interop.sip_contact_display_name_presence,
            instance_id: settings.unit.instance_id.clone(),
        }
    }
}

/// A REGISTER ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The request.
    pub request: Request,
    /// The branch of its Via.
    pub branch: String,
    /// The URIs of its Contacts.
    pub contacts: Vec<String>,
}

/// Writes the next REGISTER of `registration`; none where its names make no URI.
pub fn write(
    registration: &mut Registration,
    purpose: &Purpose,
    place: &Place,
    style: &Style,
    rng: &mut Rng,
) -> Result<Option<Written>, Refusal> {
    let binding = &registration.plan.binding;
    let Some((uri, route)) = target(binding) else {
        return Ok(None);
    };
    let branch = via::new_branch(rng);
    let mut request = Request::new(Method::Register, uri);
    let headers = &mut request.headers;
    headers.push(HeaderName::Via, via::own(&place.flow, &branch));
    headers.push(HeaderName::MaxForwards, style.max_forwards);
    if let Some(route) = route {
        headers.push(HeaderName::Route, route);
    }
    let aor = address_of_record(binding, style);
    let name = display(&registration.plan.friendly_name);
    headers.push(
        HeaderName::From,
        format!("{name}<{aor}>;tag={}", registration.tag),
    );
    headers.push(HeaderName::To, format!("{name}<{aor}>"));
    headers.push(HeaderName::CallId, &registration.call_id);
    registration.cseq += 1;
    headers.push(
        HeaderName::CSeq,
        CSeq {
            number: registration.cseq,
            method: Method::Register,
        },
    );
    let contacts = write_contacts(&mut request, registration, purpose, place, style);
    finish(&mut request, style);
    registration.credentials.authorize(&mut request, rng)?;
    request.headers.push(HeaderName::ContentLength, 0);
    Ok(Some(Written {
        request,
        branch,
        contacts,
    }))
}

/// `sip:user@domain` of the registration's user.
pub fn address_of_record(binding: &Binding, style: &Style) -> String {
    let user = user_part(&binding.username, style);
    format!(
        "sip:{user}@{}{}",
        bracketed(&binding.domain),
        user_parameter(style)
    )
}

/// A user name as the user part of a URI, escaped as the settings want it.
pub fn user_part(username: &str, style: &Style) -> String {
    let mut escaped = String::with_capacity(username.len());
    for (place, piece) in username.split('#').enumerate() {
        if place > 0 {
            escaped.push_str(if style.escape_pound { "%23" } else { "#" });
        }
        escaped.push_str(&escape_user(piece));
    }
    match style.escape_format {
        EscapeFormat::UppercaseHex => escaped,
        EscapeFormat::LowercaseHex => lower_escapes(&escaped),
    }
}

/// The two digits behind each percent sign in lower case.
fn lower_escapes(escaped: &str) -> String {
    let mut pieces = escaped.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at(piece.len().min(2));
        text.push('%');
        text.push_str(&digits.to_ascii_lowercase());
        text.push_str(rest);
    }
    text
}

/// The Request-URI and the Route, as the outbound proxy wants them.
fn target(binding: &Binding) -> Option<(Uri, Option<String>)> {
    let registrar = binding.registrar.as_ref()?;
    let uri_of = |server: &HostPort| format!("sip:{}", server.uri_hostport());
    let (uri, route) = match (binding.outbound, &binding.next_hop) {
        (Some(OutboundType::LooseRouter), Some(proxy)) => {
            (uri_of(registrar), Some(format!("<{};lr>", uri_of(proxy))))
        }
        (Some(OutboundType::StrictRouter), Some(proxy)) => {
            (uri_of(proxy), Some(format!("<{}>", uri_of(registrar))))
        }
        _ => (uri_of(registrar), None),
    };
    Some((Uri::parse(&uri)?, route))
}

fn write_contacts(
    request: &mut Request,
    registration: &Registration,
    purpose: &Purpose,
    place: &Place,
    style: &Style,
) -> Vec<String> {
    let headers = &mut request.headers;
    match purpose {
        Purpose::Bind => {
            let contacts = own_contacts(registration, place, style);
            for (uri, params) in &contacts {
                let name = match style.contact_display {
                    true => display(&registration.plan.friendly_name),
                    false => String::new(),
                };
                headers.push(HeaderName::Contact, format!("{name}<{uri}>{params}"));
            }
            let proposed = registration
                .min_expires
                .unwrap_or(registration.plan.times.proposed);
            if proposed > 0 {
                headers.push(HeaderName::Expires, proposed);
            }
            contacts.into_iter().map(|(uri, _)| uri).collect()
        }
        Purpose::Tidy(contacts) | Purpose::Unbind(contacts) => {
            for uri in contacts {
                headers.push(HeaderName::Contact, format!("<{uri}>;expires=0"));
            }
            headers.push(HeaderName::Expires, 0);
            contacts.clone()
        }
    }
}

/// Our Contacts: the URI, and the parameters behind it.
fn own_contacts(
    registration: &Registration,
    place: &Place,
    style: &Style,
) -> Vec<(String, String)> {
    let binding = &registration.plan.binding;
    let flow = &place.flow;
    if binding.contacts.is_empty() {
        let uri = contact_uri(binding, flow.local, None, style);
        return vec![(uri, outbound_params(registration, style))];
    }
    let mut contacts = Vec::new();
    for (transport, q) in &binding.contacts {
        let own = *transport == flow.transport;
        let local = match own {
            true => Some(flow.local),
            false => place.listeners.get(transport).copied(),
        };
        let Some(local) = local else { continue };
        let mut params = match own {
            true => outbound_params(registration, style),
            false => String::new(),
        };
        if !q.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(params, ";q={q}");
        }
        let uri = contact_uri(binding, local, Some(*transport), style);
        contacts.push((uri, params));
    }
    contacts
}

fn contact_uri(
    binding: &Binding,
    local: SocketAddr,
    transport: Option<Transport>,
    style: &Style,
) -> String {
    let user = user_part(&binding.username, style);
    let host = match binding.contact_domain.is_empty() {
        true => bracketed(&local.ip().to_string()),
        false => bracketed(&binding.contact_domain),
    };
    let transport = transport
        .map(|it| format!(";transport={}", it.parameter()))
        .unwrap_or_default();
    format!(
        "sip:{user}@{host}:{}{transport}{}",
        local.port(),
        user_parameter(style)
    )
}

/// RFC 5626 §4.2: who we are whatever our address, and by which flow.
fn outbound_params(registration: &Registration, style: &Style) -> String {
    if style.instance_id.is_empty() {
        return String::new();
    }
    let reg_id = reg_id(&registration.gateway);
    format!(";+sip.instance=\"<{}>\";reg-id={reg_id}", style.instance_id)
}

/// A number from 1 to 2^31-1 that is the gateway's for as long as its name is (FNV-1a).
fn reg_id(gateway: &str) -> u32 {
    let hash = gateway.bytes().fold(0x811c_9dc5_u32, |hash, octet| {
        (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193)
    });
    (hash >> 1).max(1)
}

fn user_parameter(style: &Style) -> String {
    match style.user_parameter.is_empty() {
        true => String::new(),
        false => format!(";user={}", escape_param(&style.user_parameter)),
    }
}

fn display(name: &str) -> String {
    match name.is_empty() {
        true => String::new(),
        false => format!("\"{}\" ", name.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn finish(request: &mut Request, style: &Style) {
    let supported = match style.instance_id.is_empty() {
        true => "path",
        false => "path, outbound",
    };
    request.headers.push(HeaderName::Supported, supported);
    request
        .headers
        .push(HeaderName::Allow, crate::sip::serve::ALLOW);
    if let Some(name) = &style.user_agent {
        request.headers.push(HeaderName::UserAgent, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style() -> Style {
        Style::of(&Settings::default())
    }

    #[test]
    fn a_user_name_is_escaped_as_the_settings_want_it() {
        assert_eq!(user_part("1#2/ä", &style()), "1%232/%c3%a4");
        let mut upper = style();
        upper.escape_format = EscapeFormat::UppercaseHex;
        upper.escape_pound = false;
        assert_eq!(user_part("1#2 A", &upper), "1#2%20A");
    }

    #[test]
    fn a_quote_in_a_display_name_cannot_end_it() {
        assert_eq!(display("a\"b\\"), "\"a\\\"b\\\\\" ");
    }

    #[test]
    fn the_reg_id_of_a_gateway_is_its_own_and_within_range() {
        assert_ne!(reg_id("a"), reg_id("b"));
        assert_eq!(reg_id("default"), reg_id("default"));
        assert!((1..1 << 31).contains(&reg_id("default")));
    }
}
