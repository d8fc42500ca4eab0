//! What a REGISTER says: names, addresses, headers.

use super::{OTHER, Told, Wish, shows_in_the_register};

const GATEWAY: &str = "Gateway[Name=default]";

/// An endpoint beside the gateway's own user.
const ENDPOINT: [Wish<'static>; 2] = [
    ("UserAgent[EpId=Port01].Username", "4#2ä"),
    ("UserAgent[EpId=Port01].Register", "enable"),
];

#[test]
pub(crate) fn addresses_ports_and_domains_of_the_gateway_are_in_its_register() {
    shows_in_the_register(
        &[],
        &[
            (
                ("Gateway[Name=default].Port", "5070"),
                "<sip:100@192.0.2.1:5070",
            ),
            (
                ("Gateway[Name=default].Domain", "gw.example"),
                "sip:100@gw.example>",
            ),
            (
                ("Gateway[Name=default].NetworkInterface", "Lan2"),
                "Via: SIP/2.0/UDP 192.0.2.2:5060",
            ),
            (
                ("DefaultStaticProxyHomeDomainHost", "home.example:5060"),
                "sip:100@home.example>",
            ),
            (
                ("InteropRegisterHomeDomainOverride", "reg.example"),
                "sip:100@reg.example>",
            ),
            (("UnitRegistrations[Index=1].Username", "200"), "sip:200@"),
            (("UnitRegistrations[Index=2].Username", "300"), "sip:300@"),
        ],
    );
}

#[test]
pub(crate) fn headers_are_written_as_the_settings_want_them() {
    shows_in_the_register(
        &[],
        &[
            (("InteropMaxForwardsValue", "20"), "Max-Forwards: 20\r\n"),
            (
                ("InteropUaHeaderFormat", "Us %version%"),
                "User-Agent: Us 7\r\n",
            ),
            (("InteropSipUriUserParameterValue", "phone"), ";user=phone"),
            (
                ("DefaultRegistrationProposedExpirationValue", "600"),
                "Expires: 600\r\n",
            ),
        ],
    );
    let mut told = Told::after(1, &[]);
    assert!(told.register().contains("User-Agent: Gateway/v7 Plain\r\n"));
    told.set(&[("InteropSendUaHeaderEnable", "disable")]);
    assert!(!told.register().contains("User-Agent"));
}

#[test]
pub(crate) fn an_endpoint_is_registered_by_its_names() {
    let mut told = Told::after(1, &[("UserAgent[EpId=Port01].Username", "555")]);
    assert!(!told.sent().contains("sip:555@"), "it is not to register");
    told.set(&[("UserAgent[EpId=Port01].Register", "enable")]);
    assert!(told.sent().contains("sip:555@"));
    shows_in_the_register(
        &ENDPOINT,
        &[
            (("UserAgent[EpId=Port01].Username", "777"), "<sip:777@"),
            (
                ("UserAgent[EpId=Port01].FriendlyName", "Desk"),
                "From: \"Desk\" <",
            ),
            (
                ("UserAgent[EpId=Port01].ContactDomain", "c.example"),
                "@c.example:5060",
            ),
            (("InteropEscapePoundInSipUriUsername", "disable"), "sip:4#2"),
            (("InteropEscapeFormat", "uppercaseHex"), "%C3%A4@"),
        ],
    );
}

#[test]
pub(crate) fn a_contact_carries_the_display_name_or_not() {
    let name = ("UserAgent[EpId=Port01].FriendlyName", "Desk");
    let mut told = Told::after(1, &[ENDPOINT[0], ENDPOINT[1], name]);
    assert!(told.sent().contains("Contact: \"Desk\" <"));
    let before = told.sent().len();
    told.set(&[("InteropSipContactDisplayNamePresence", "disable")]);
    let now = told.sent().split_off(before);
    assert!(now.contains("From: \"Desk\" <"), "{now}");
    assert!(!now.contains("Contact: \"Desk\" <"), "{now}");
}

#[test]
pub(crate) fn an_endpoint_and_a_user_of_the_unit_register_at_the_gateway_that_they_name() {
    let other = [
        ("Gateway[Name=other].NetworkInterface", "Lan2"),
        ("UserAgent[EpId=Port01].Username", "555"),
        ("UserAgent[EpId=Port01].Register", "enable"),
        ("UserAgent[EpId=Port01].GatewayName", "default"),
    ];
    let mut told = Told::after(1, &other);
    for user in ["100", "555"] {
        assert!(told.sent().contains(&format!("<sip:{user}@192.0.2.1:")));
        assert!(!told.sent().contains(&format!("<sip:{user}@192.0.2.2:")));
    }
    told.set(&[("UserAgent[EpId=Port01].GatewayName", "all")]);
    assert!(told.sent().contains("<sip:555@192.0.2.2:"));
    told.set(&[("UnitRegistrations[Index=1].GatewayName", "other")]);
    assert!(told.sent().contains("<sip:100@192.0.2.2:"));
}

#[test]
pub(crate) fn an_outbound_proxy_gets_the_register_with_the_route_of_its_type() {
    let proxy = ("DefaultStaticProxyOutboundHost", OTHER);
    let mut told = Told::after(1, &[proxy]);
    assert!(told.registers().is_empty(), "it goes to the proxy");
    let to_proxy = |told: &Told| {
        let last = told.world.registers(1).last().copied().expect("a REGISTER");
        String::from_utf8(last.to_bytes()).expect("text")
    };
    let route = "Route: <sip:198.51.100.9:5060;lr>\r\n";
    assert!(to_proxy(&told).contains(route));
    told.set(&[("DefaultProxyOutboundType", "strictRouter")]);
    assert!(to_proxy(&told).starts_with("REGISTER sip:198.51.100.9:5060 "));
    assert!(to_proxy(&told).contains("Route: <sip:198.51.100.1:5060>\r\n"));
    told.set(&[("DefaultProxyOutboundType", "noRouteHeader")]);
    assert!(!to_proxy(&told).contains("Route:"));
}

#[test]
pub(crate) fn the_proxies_of_one_gateway_count_where_its_row_is_enabled() {
    let row = |column: &str| format!("GwSpecificProxy[GatewayName=default].{column}");
    let (home, outbound) = (row("HomeDomainHost"), row("OutboundHost"));
    let (kind, enable) = (row("OutboundType"), row("EnableConfig"));
    let mut told = Told::after(
        1,
        &[
            (&home, "own.example:5060"),
            (&outbound, OTHER),
            (&kind, "noRouteHeader"),
        ],
    );
    assert_eq!(told.registers().len(), 1, "the row does not count");
    told.set(&[(&enable, "enable")]);
    assert!(told.sent().contains("sip:100@own.example>"));
    assert!(!told.sent().contains("Route:"));
    assert!(!told.world.registers(1).is_empty(), "to the outbound proxy");
    told.set(&[(&kind, "looseRouter")]);
    assert!(told.sent().contains("Route: <sip:198.51.100.9:5060;lr>"));
    told.set(&[(&outbound, "0.0.0.0:0"), (&home, "its.example:5060")]);
    assert!(told.register().contains("sip:100@its.example>"));
}

#[test]
pub(crate) fn a_gateway_and_a_registration_that_are_deleted_unregister() {
    for delete in [
        "Gateway[Name=default].Delete",
        "UnitRegistrations[Index=1].Delete",
    ] {
        let mut told = Told::after(1, &[]);
        assert_eq!(told.world.registrars[0].bindings.len(), 1);
        told.set(&[(delete, "delete")]);
        assert!(told.world.registrars[0].bindings.is_empty(), "{delete}");
    }
}

#[test]
pub(crate) fn a_trunk_gateway_listens_on_its_ports_and_an_endpoint_gateway_on_none() {
    let mut told = Told::after(
        1,
        &[("TransportConfig[GatewayName=default].TlsEnable", "enable")],
    );
    assert_eq!(told.listens(), ["tls:5061", "udp:5060"]);
    let port = format!("{GATEWAY}.SecurePort");
    told.set(&[(&port, "5071")]);
    assert_eq!(told.listens(), ["tls:5071", "udp:5060"]);
    let kind = format!("{GATEWAY}.Type");
    told.set(&[(&kind, "endpointGateway")]);
    assert!(told.listens().is_empty());
}
