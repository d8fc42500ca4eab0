use super::*;
use crate::north::cwmp::settings::Settings;
use crate::schema::{Index, Name, Value};
use crate::tree::{Actor, Configured, Creation, RowState, Tree};
use crate::wire::soap::message::{Kind, ParameterFault};

const NETWORKS: &str = "Device.Services.VoiceService.1.SIP.Network.";
const HOSTS: &str = "Device.X_0090F8_Hoc.StaticHosts.";

/// A device with a gateway, an endpoint and TR-104.
fn device() -> Tree {
    let tree = Tree::in_memory();
    let mut txn = Transaction::new(Actor::device());
    for (table, key) in [
        (crate::schema::sip_ep::gateway::TABLE, "default"),
        (crate::schema::ep_adm::endpoint::TABLE, "Port01"),
    ] {
        txn.create(table, Index::text(key), Creation::Active);
    }
    txn.assign(named("Cwmp.Tr104Enable"), Value::Integer(1));
    tree.commit_and_wait(txn, 0).expect("made");
    tree
}

fn named(name: &str) -> Name {
    Name::parse(name).expect("a name")
}

/// What a session does with a model over the tree as it is.
fn with<T>(tree: &Tree, work: impl FnOnce(&DataModel<'_>) -> T) -> T {
    let settings = Settings::read(&tree.snapshot());
    work(&DataModel::new(&tree.instances(), &settings.model))
}

fn number_rows(tree: &Tree) {
    let mut keep = Transaction::new(Actor::device());
    with(tree, |model| model.number(&mut keep));
    tree.commit_and_wait(keep, 0).expect("kept");
}

fn read(tree: &Tree, path: &str) -> String {
    with(tree, |model| {
        let found = model.find(path).expect("it is there");
        model.value(&found[0]).value
    })
}

fn cell(tree: &Tree, name: &str) -> String {
    let name = named(name);
    let value = tree.instances().read(&name).expect("it is there");
    value.display(&name.column.get().syntax)
}

fn value(name: &str, value: &str) -> ParameterValue {
    ParameterValue {
        name: name.to_owned(),
        value: value.to_owned(),
        kind: Some(Kind::String),
    }
}

fn try_set(tree: &Tree, values: &[(&str, &str)]) -> Result<(), Vec<(String, u16)>> {
    let values: Vec<_> = values
        .iter()
        .map(|(name, text)| value(name, text))
        .collect();
    let mut wishes = Transaction::new(Actor::device());
    let set = with(tree, |model| model.set(&values, &mut wishes));
    let brief = |fault: ParameterFault| (fault.name, fault.fault.code);
    let origins = set.map_err(|faults| faults.into_iter().map(brief).collect::<Vec<_>>())?;
    assert_eq!(origins.len(), wishes.len());
    tree.commit_and_wait(wishes, 0).expect("granted");
    Ok(())
}

fn set(tree: &Tree, values: &[(&str, &str)]) {
    try_set(tree, values).expect("no fault");
}

fn codes(tree: &Tree, values: &[(&str, &str)]) -> Vec<u16> {
    let faults = try_set(tree, values).expect_err("refused");
    faults.into_iter().map(|(_, code)| code).collect()
}

fn add(tree: &Tree, path: &str) -> Result<u32, Code> {
    let mut wishes = Transaction::new(Actor::device());
    let number = with(tree, |model| model.add(path, &mut wishes))?;
    tree.commit_and_wait(wishes, 0).expect("granted");
    Ok(number)
}

fn delete(tree: &Tree, path: &str) -> Result<(), Code> {
    let mut wishes = Transaction::new(Actor::device());
    with(tree, |model| model.delete(path, &mut wishes))?;
    tree.commit_and_wait(wishes, 0).expect("granted");
    Ok(())
}

fn settle(tree: &Tree) {
    for row in with(tree, |model| model.settle()) {
        tree.commit_and_wait(row.put, 0).expect("granted");
    }
}

fn names(tree: &Tree, path: &str, next_level: bool) -> Vec<(String, bool)> {
    let infos = with(tree, |model| model.names(path, next_level)).expect("it is there");
    let pair = |info: ParameterInfo| (info.name, info.writable);
    infos.into_iter().map(pair).collect()
}

#[test]
fn names_follow_the_rules_of_the_next_level() {
    let tree = device();
    assert_eq!(names(&tree, "", true), [("Device.".to_owned(), false)]);
    let time = names(&tree, "Device.Time.", false);
    assert_eq!(time[0], ("Device.Time.".to_owned(), false));
    let below = names(&tree, "Device.Time.", true);
    assert!(below.contains(&("Device.Time.NTPServer1".to_owned(), true)));
    assert!(below.contains(&("Device.Time.Client.".to_owned(), false)));
    assert!(
        !below
            .iter()
            .any(|(name, _)| name == "Device.Time." || name.contains("Client.1"))
    );
    let one = names(&tree, "Device.Time.NTPServer1", false);
    assert_eq!(one, [("Device.Time.NTPServer1".to_owned(), true)]);
    let refused = with(&tree, |model| model.names("Device.Time.NTPServer1", true));
    assert_eq!(refused.err(), Some(Code::InvalidArguments));
    for unknown in [
        "Device.Time",
        "Device.Nothing.",
        "Dev",
        "Device.Time.NTPServer1.",
    ] {
        let refused = with(&tree, |model| model.names(unknown, false));
        assert_eq!(refused.err(), Some(Code::InvalidName), "{unknown}");
    }
}

#[test]
fn tables_and_their_instances_say_whether_rows_can_be_added_and_deleted() {
    let tree = device();
    let all = names(&tree, NETWORKS, true);
    assert_eq!(all, [(format!("{NETWORKS}1."), true)]);
    let clients = "Device.Services.VoiceService.1.SIP.Client.";
    assert_eq!(names(&tree, clients, false)[0], (clients.to_owned(), false));
}

#[test]
fn every_parameter_of_the_model_is_found_by_its_own_path() {
    let tree = device();
    number_rows(&tree);
    with(&tree, |model| {
        let all = model.find("").expect("all");
        assert!(all.len() > 350, "{}", all.len());
        for one in &all {
            let found = model.find(&one.path()).expect("it is there");
            assert_eq!(found.len(), 1, "{}", one.path());
            assert_eq!(found[0].path(), one.path());
            assert!(one.path().len() <= 256);
            model.value(one);
        }
    });
}

#[test]
fn every_object_of_the_schema_is_shown_to_a_manager() {
    let shown: Vec<_> = map::objects()
        .iter()
        .filter(|object| object.path.contains(".X_"))
        .flat_map(|object| object.leaves)
        .filter_map(|leaf| match leaf.source {
            Source::Cell(cell) => Some(cell.column),
            _ => None,
        })
        .collect();
    for (id, column) in crate::schema::columns() {
        let is_alias = matches!(column.role, crate::schema::Role::Alias(_));
        let is_own = column.table == crate::schema::cwmp::instance::TABLE;
        assert_eq!(shown.contains(&id), !is_alias && !is_own, "{}", column.name);
    }
}

#[test]
fn a_standards_parameter_and_the_vendors_are_one_object() {
    let tree = device();
    set(
        &tree,
        &[("Device.ManagementServer.PeriodicInformInterval", "900")],
    );
    assert_eq!(cell(&tree, "Cwmp.PeriodicInformInterval"), "900");
    assert_eq!(
        read(&tree, "Device.X_0090F8_Cwmp.PeriodicInformInterval"),
        "900"
    );
    set(
        &tree,
        &[("Device.ManagementServer.PeriodicInformEnable", "1")],
    );
    assert_eq!(
        read(&tree, "Device.ManagementServer.PeriodicInformEnable"),
        "true"
    );
}

#[test]
fn the_url_that_the_acs_sets_counts_from_then_on() {
    let tree = device();
    let url = "https://other.example/cwmp";
    set(&tree, &[("Device.ManagementServer.URL", url)]);
    assert_eq!(cell(&tree, "Cwmp.AcsUrlConfigSource"), "static");
    assert_eq!(read(&tree, "Device.ManagementServer.URL"), url);
}

#[test]
fn host_and_port_may_come_in_any_order() {
    let tree = device();
    let host = format!("{NETWORKS}1.ProxyServer");
    let port = format!("{NETWORKS}1.ProxyServerPort");
    set(&tree, &[(&port, "5070"), (&host, "sip.example")]);
    let own = "SipEp.GwSpecificProxy[GatewayName=default].HomeDomainHost";
    assert_eq!(cell(&tree, own), "sip.example:5070");
    set(&tree, &[(&host, "2001:db8::1")]);
    assert_eq!(cell(&tree, own), "[2001:db8::1]:5070");
    assert_eq!(
        (read(&tree, &host), read(&tree, &port)),
        ("2001:db8::1".into(), "5070".into())
    );
    set(&tree, &[(&host, "")]);
    assert_eq!(
        (read(&tree, &host), read(&tree, &port)),
        (String::new(), "5070".into())
    );
}

#[test]
fn a_gateway_of_its_own_settings_keeps_what_counted_before() {
    let tree = device();
    let mut txn = Transaction::new(Actor::device());
    txn.assign(
        named("SipEp.DefaultStaticProxyOutboundHost"),
        "edge.example".into(),
    );
    txn.assign(named("SipEp.DefaultProxyOutboundType"), Value::Integer(300));
    tree.commit_and_wait(txn, 0).expect("set");
    let outbound = format!("{NETWORKS}1.OutboundProxy");
    assert_eq!(read(&tree, &outbound), "edge.example");
    set(
        &tree,
        &[(&format!("{NETWORKS}1.ProxyServer"), "sip.example")],
    );
    assert_eq!(read(&tree, &outbound), "edge.example");
    let row = "SipEp.GwSpecificProxy[GatewayName=default]";
    assert_eq!(cell(&tree, &format!("{row}.EnableConfig")), "enable");
    assert_eq!(cell(&tree, &format!("{row}.OutboundType")), "noRouteHeader");
}

#[test]
fn one_transport_of_a_gateway_is_on() {
    let tree = device();
    let transport = format!("{NETWORKS}1.ProxyServerTransport");
    set(&tree, &[(&transport, "TLS")]);
    let row = "SipEp.TransportConfig[GatewayName=default]";
    assert_eq!(cell(&tree, &format!("{row}.TlsEnable")), "enable");
    assert_eq!(cell(&tree, &format!("{row}.UdpEnable")), "disable");
    assert_eq!(
        read(&tree, &format!("{NETWORKS}1.RegistrarServerTransport")),
        "TLS"
    );
    let other = format!("{NETWORKS}1.RegistrarServerTransport");
    assert_eq!(
        codes(&tree, &[(&transport, "TCP"), (&other, "UDP")]),
        [9007]
    );
    assert_eq!(codes(&tree, &[(&transport, "SCTP")]), [9007]);
}

#[test]
fn credentials_of_an_endpoint_make_their_row() {
    let tree = device();
    let client = "Device.Services.VoiceService.1.SIP.Client.1.";
    let (user, password) = (
        format!("{client}AuthUserName"),
        format!("{client}AuthPassword"),
    );
    set(&tree, &[(&password, "secret"), (&user, "alice")]);
    let row = "SipEp.Authentication[Index=1]";
    assert_eq!(cell(&tree, &format!("{row}.CriteriaSelection")), "endpoint");
    assert_eq!(cell(&tree, &format!("{row}.EpId")), "Port01");
    assert_eq!(
        (read(&tree, &user), read(&tree, &password)),
        ("alice".into(), String::new())
    );
    set(&tree, &[(&user, "bob")]);
    assert_eq!(
        tree.snapshot()
            .rows(crate::schema::sip_ep::authentication::TABLE)
            .len(),
        1
    );
}

#[test]
fn what_a_secret_reads_as_does_not_wipe_it() {
    let tree = device();
    let name = named("Cwmp.Password");
    set(&tree, &[("Device.ManagementServer.Password", "secret")]);
    set(&tree, &[("Device.ManagementServer.Password", "")]);
    let kept = tree.snapshot().cell(name.column, &name.index).cloned();
    assert_eq!(kept, Some(Value::from("secret")));
}

#[test]
fn a_path_leads_to_the_row_that_is_named() {
    let tree = device();
    let network = "Device.Services.VoiceService.1.SIP.Client.1.Network";
    assert_eq!(read(&tree, network), "");
    set(
        &tree,
        &[(network, "Device.Services.VoiceService.1.SIP.Network.1")],
    );
    assert_eq!(
        cell(&tree, "SipEp.UserAgent[EpId=Port01].GatewayName"),
        "default"
    );
    assert_eq!(
        read(&tree, network),
        "Device.Services.VoiceService.1.SIP.Network.1"
    );
    assert_eq!(
        codes(
            &tree,
            &[(network, "Device.Services.VoiceService.1.SIP.Network.9")]
        ),
        [9007]
    );
    set(&tree, &[(network, "")]);
    assert_eq!(
        cell(&tree, "SipEp.UserAgent[EpId=Port01].GatewayName"),
        "all"
    );
}

#[test]
fn each_bad_value_has_its_code_and_nothing_is_wished() {
    let tree = device();
    let faults = try_set(
        &tree,
        &[
            ("Device.ManagementServer.PeriodicInformInterval", "0"),
            ("Device.ManagementServer.ParameterKey", "x"),
            ("Device.ManagementServer.Nothing", "x"),
            ("Device.ManagementServer.PeriodicInformEnable", "maybe"),
            ("Device.ManagementServer.EnableCWMP", "false"),
            ("Device.Time.Client.*.Servers", "x"),
        ],
    );
    let codes: Vec<u16> = faults
        .expect_err("refused")
        .iter()
        .map(|one| one.1)
        .collect();
    assert_eq!(codes, [9007, 9008, 9005, 9007, 9007, 9005]);
}

#[test]
fn another_type_is_refused_only_where_it_has_to_be_right() {
    let tree = device();
    let interval = "Device.ManagementServer.PeriodicInformInterval";
    set(&tree, &[(interval, "800")]);
    let mut txn = Transaction::new(Actor::device());
    txn.assign(
        named("Cwmp.InteropParameterTypeValidation"),
        Value::Integer(200),
    );
    tree.commit_and_wait(txn, 0).expect("set");
    assert_eq!(codes(&tree, &[(interval, "801")]), [9006]);
}

#[test]
fn an_added_row_is_inert_until_the_session_ends() {
    let tree = device();
    let number = add(&tree, HOSTS).expect("added");
    let table = crate::schema::hoc::static_hosts::TABLE;
    let state = |tree: &Tree| {
        tree.snapshot()
            .rows(table)
            .iter()
            .next()
            .map(|(_, row)| row.state)
    };
    assert_eq!(state(&tree), Some(RowState::NotInService));
    set(&tree, &[(&format!("{HOSTS}{number}.Name"), "pbx.example")]);
    settle(&tree);
    assert_eq!(state(&tree), Some(RowState::Active));
    assert!(with(&tree, |model| model.settle()).is_empty());
}

#[test]
fn a_number_is_never_given_twice_also_over_a_restart() {
    let tree = device();
    assert_eq!(add(&tree, HOSTS), Ok(1));
    assert_eq!(add(&tree, HOSTS), Ok(2));
    delete(&tree, &format!("{HOSTS}2.")).expect("deleted");
    assert_eq!(add(&tree, HOSTS), Ok(3));
    delete(&tree, &format!("{HOSTS}1.")).expect("deleted");
    delete(&tree, &format!("{HOSTS}3.")).expect("deleted");
    number_rows(&tree);
    assert_eq!(add(&tree, HOSTS), Ok(4));
    let refused = with(&tree, |model| model.find(&format!("{HOSTS}3.")).err());
    assert_eq!(refused, Some(Code::InvalidName));
}

#[test]
fn a_row_that_another_face_made_keeps_the_number_that_it_was_told_with() {
    let tree = device();
    let mut txn = Transaction::new(Actor::local());
    txn.assign(named("Hoc.StaticHosts[Index=7].Name"), "a.example".into());
    tree.commit_and_wait(txn, 0).expect("set");
    number_rows(&tree);
    assert_eq!(read(&tree, &format!("{HOSTS}7.Name")), "a.example");
    let mut txn = Transaction::new(Actor::local());
    txn.assign(named("Hoc.StaticHosts[Index=3].Name"), "b.example".into());
    tree.commit_and_wait(txn, 0).expect("set");
    number_rows(&tree);
    // 3 may have been told before; it is not given again.
    assert_eq!(read(&tree, &format!("{HOSTS}8.Name")), "b.example");
}

#[test]
fn rows_that_go_together_have_one_number() {
    let tree = device();
    let number = add(&tree, NETWORKS).expect("added");
    let transport = format!("Device.X_0090F8_SipEp.TransportConfig.{number}.GatewayName");
    assert_eq!(read(&tree, &transport), "cpe-2");
}

#[test]
fn the_key_of_a_new_row_may_be_set_until_the_session_ends() {
    let tree = device();
    let number = add(&tree, NETWORKS).expect("added");
    let gateway = format!("Device.X_0090F8_SipEp.Gateway.{number}.");
    let (name, port) = (format!("{gateway}Name"), format!("{gateway}Port"));
    set(&tree, &[(&port, "5090")]);
    set(
        &tree,
        &[
            (&format!("{NETWORKS}{number}.UserAgentDomain"), "d.example"),
            (&name, "trunk2"),
        ],
    );
    assert_eq!(read(&tree, &name), "trunk2");
    assert_eq!(cell(&tree, "SipEp.Gateway[Name=trunk2].Port"), "5090");
    assert_eq!(
        cell(&tree, "SipEp.Gateway[Name=trunk2].Domain"),
        "d.example"
    );
    assert!(
        tree.instances()
            .read(&named("SipEp.Gateway[Name=cpe-2].Port"))
            .is_none()
    );
    settle(&tree);
    assert_eq!(codes(&tree, &[(&name, "other")]), [9008]);
}

#[test]
fn tables_of_the_device_take_no_rows() {
    let tree = device();
    let ports = "Device.X_0090F8_EpAdm.Endpoint.";
    assert_eq!(add(&tree, ports), Err(Code::RequestDenied));
    assert_eq!(
        delete(&tree, &format!("{ports}1.")),
        Err(Code::RequestDenied)
    );
    assert_eq!(add(&tree, "Device.Time."), Err(Code::InvalidName));
    assert_eq!(add(&tree, &format!("{HOSTS}1.")), Err(Code::InvalidName));
}

#[test]
fn an_alias_names_its_instance() {
    let tree = device();
    number_rows(&tree);
    assert_eq!(read(&tree, &format!("{NETWORKS}[cpe-1].Alias")), "cpe-1");
    set(&tree, &[(&format!("{NETWORKS}1.Alias"), "main")]);
    assert_eq!(read(&tree, &format!("{NETWORKS}[main].Alias")), "main");
    for bad in ["", "1st", "cpe-9", "a b"] {
        assert_eq!(
            codes(&tree, &[(&format!("{NETWORKS}1.Alias"), bad)]),
            [9007],
            "{bad}"
        );
    }
    assert_eq!(add(&tree, &format!("{NETWORKS}[second].")), Ok(2));
    assert_eq!(
        codes(&tree, &[(&format!("{NETWORKS}2.Alias"), "main")]),
        [9007]
    );
    let mut txn = Transaction::new(Actor::device());
    txn.assign(named("Cwmp.InstanceMode"), Value::Integer(200));
    tree.commit_and_wait(txn, 0).expect("set");
    let all = names(&tree, &NETWORKS.replace(".1.", ".*."), true);
    let networks = NETWORKS.replace(".1.", ".[cpe-1].");
    let expected = ["main", "second"].map(|alias| (format!("{networks}[{alias}]."), true));
    assert_eq!(all, expected);
}

#[test]
fn an_alias_that_nobody_has_makes_its_row_only_where_it_may() {
    let tree = device();
    let domain = format!("{NETWORKS}[branch].UserAgentDomain");
    let port = format!("{NETWORKS}[branch].UserAgentPort");
    let both = [(domain.as_str(), "b.example"), (port.as_str(), "5080")];
    assert_eq!(codes(&tree, &both), [9005, 9005]);
    let mut txn = Transaction::new(Actor::device());
    txn.assign(named("Cwmp.AutoCreateInstances"), Value::Integer(1));
    tree.commit_and_wait(txn, 0).expect("set");
    number_rows(&tree);
    set(&tree, &both);
    assert_eq!(read(&tree, &domain), "b.example");
    assert_eq!(read(&tree, &format!("{NETWORKS}2.UserAgentPort")), "5080");
    let other = format!("{NETWORKS}[other].Nothing");
    assert_eq!(codes(&tree, &[(&other, "1")]), [9005]);
    assert_eq!(names(&tree, NETWORKS, true).len(), 2);
}

#[test]
fn a_wildcard_is_every_instance() {
    let tree = device();
    add(&tree, NETWORKS).expect("added");
    let found = with(&tree, |model| model.find(&format!("{NETWORKS}*.Alias"))).expect("found");
    let paths: Vec<String> = found.iter().map(Parameter::path).collect();
    assert_eq!(
        paths,
        [format!("{NETWORKS}1.Alias"), format!("{NETWORKS}2.Alias")]
    );
}

#[test]
fn both_issues_of_tr_104_show_one_gateway() {
    let tree = device();
    let profile = "Device.Services.VoiceService.1.VoiceProfile.1.";
    set(
        &tree,
        &[(&format!("{profile}SIP.RegistrarServer"), "reg.example")],
    );
    assert_eq!(
        read(&tree, &format!("{NETWORKS}1.RegistrarServer")),
        "reg.example"
    );
    assert_eq!(read(&tree, &format!("{profile}NumberOfLines")), "1");
    set(&tree, &[(&format!("{profile}Line.1.Enable"), "Enabled")]);
    assert_eq!(
        cell(&tree, "SipEp.UserAgent[EpId=Port01].Register"),
        "enable"
    );
}

#[test]
fn voice_is_hidden_where_tr_104_is_off() {
    let tree = Tree::in_memory();
    let refused = with(&tree, |model| model.find("Device.Services.").err());
    assert_eq!(refused, Some(Code::InvalidName));
}

#[test]
fn every_inform_carries_what_the_standard_forces() {
    let tree = device();
    let paths: Vec<String> = with(&tree, |model| {
        model.inform().iter().map(Parameter::path).collect()
    });
    // TR-181 2.17: forcedInform.
    for forced in [
        "Device.RootDataModelVersion",
        "Device.DeviceInfo.HardwareVersion",
        "Device.DeviceInfo.SoftwareVersion",
        "Device.DeviceInfo.ProvisioningCode",
        "Device.ManagementServer.ParameterKey",
        "Device.ManagementServer.ConnectionRequestURL",
        "Device.ManagementServer.AliasBasedAddressing",
    ] {
        assert!(paths.iter().any(|path| path == forced), "{forced}");
    }
    let version = "Device.DeviceInfo.SoftwareVersion";
    assert_eq!(with(&tree, |model| model.notification(version)), 2);
}

#[test]
fn active_notification_is_refused_where_it_would_never_be_silent() {
    let tree = device();
    let levels = |path: &str| {
        let may = |level: &u8| with(&tree, |model| model.may_be_notified(path, *level));
        (0..=6).filter(may).collect::<Vec<u8>>()
    };
    // TR-181: canDeny; a counter; what each commit changes.
    for path in [
        "Device.DeviceInfo.UpTime",
        "Device.X_DEMARC_Snmpv2.SnmpInPkts",
        "Device.X_DEMARC_Conf.ConfigVersion",
        "Device.X_DEMARC_Cwmp.LastSessionTime",
        "Device.X_0090F8_Hoc.SystemUptime",
    ] {
        assert_eq!(levels(path), [0, 1, 3, 4], "{path}");
    }
    assert_eq!(levels("Device.DeviceInfo.SoftwareVersion"), [2]);
    assert_eq!(levels("Device.ManagementServer.URL").len(), 7);
}
