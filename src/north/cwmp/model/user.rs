//! The user of a line: the tree keeps the user, the standard says a URI.
//!
//! The domain is that of the line's gateway, as the SIP stack puts it into
//! From and To of a REGISTER; a URI with another domain is refused, since it
//! would not be the one that is used.

use super::DataModel;
use super::draft::Draft;
use super::text::host_and_port;
use super::write::wrong;
use crate::north::cwmp::fault::Code;
use crate::schema::sip_ep::{self, gateway, gw_specific_proxy, gw_specific_registration};
use crate::schema::{ColumnId, Index, Name, Value};
use crate::wire::address_of_record::AddressOfRecord;

/// How the value of an object is, or will be.
type Read<'r> = &'r dyn Fn(&Name) -> Option<Value>;

impl DataModel<'_> {
    /// The URI of a user; where the domain is not known, the user.
    pub(super) fn uri_of(&self, user: &str, agent: Option<&Index>) -> String {
        let read = |name: &Name| self.view.read(name);
        let domain = agent.map(|agent| self.domain(agent, &read));
        match domain.unwrap_or_default() {
            domain if domain.is_empty() || user.is_empty() => user.to_owned(),
            domain => {
                let user = user.to_owned();
                AddressOfRecord { user, domain }.uri()
            }
        }
    }

    /// The user that a text means.
    pub(super) fn user_in(
        &self,
        text: &str,
        agent: &Index,
        draft: &Draft<'_>,
    ) -> Result<Value, (Code, String)> {
        let refuse = |why: &str| wrong(Code::InvalidValue, why);
        let parsed = AddressOfRecord::parse(text);
        let Some(one) = parsed.map_err(|error| refuse(&error.to_string()))? else {
            return Ok(Value::from(""));
        };
        let domain = self.domain(agent, &|name| draft.now(name));
        let said = host_and_port(&one.domain).0;
        if !said.is_empty() && !domain.is_empty() && !said.eq_ignore_ascii_case(&domain) {
            let why = format!("its domain is not {domain}: set UserAgentDomain or ProxyServer");
            return Err(refuse(&why));
        }
        Ok(Value::from(one.user))
    }

    /// The host of addresses of record: the first of these that is set.
    fn domain(&self, agent: &Index, read: Read<'_>) -> String {
        let scalar = |column: ColumnId| text(read, column, Index::scalar());
        let overridden = scalar(sip_ep::INTEROP_REGISTER_HOME_DOMAIN_OVERRIDE.id());
        if !overridden.is_empty() {
            return overridden;
        }
        let named = text(read, sip_ep::user_agent::GATEWAY_NAME.id(), agent.clone());
        let mut gateways = self
            .view
            .rows(gateway::TABLE)
            .iter()
            .map(|(index, _)| index);
        // A line of all gateways shows the address that it has at the first.
        let Some(row) = gateways.find(|index| named == "all" || index.name() == named) else {
            return String::new();
        };
        let own = text(read, gateway::DOMAIN.id(), row.clone());
        if !own.is_empty() {
            return own;
        }
        let server = |switch: ColumnId, own: ColumnId, other: ColumnId| {
            let name = Name {
                column: switch,
                index: row.clone(),
            };
            let server = match read(&name) == Some(Value::Integer(1)) {
                true => text(read, own, row.clone()),
                false => scalar(other),
            };
            host_and_port(&server).0
        };
        let home = server(
            gw_specific_proxy::ENABLE_CONFIG.id(),
            gw_specific_proxy::HOME_DOMAIN_HOST.id(),
            sip_ep::DEFAULT_STATIC_PROXY_HOME_DOMAIN_HOST.id(),
        );
        match home.as_str() {
            "" => server(
                gw_specific_registration::ENABLE_CONFIG.id(),
                gw_specific_registration::SERVER_HOST.id(),
                sip_ep::DEFAULT_STATIC_REGISTRAR_SERVER_HOST.id(),
            ),
            _ => home,
        }
    }
}

fn text(read: Read<'_>, column: ColumnId, index: Index) -> String {
    let value = read(&Name { column, index });
    value.map_or_else(String::new, |value| value.display(&column.get().syntax))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::cwmp::settings::Settings;
    use crate::tree::{Actor, Configured, Creation, Transaction, Tree};
    use crate::wire::soap::message::{Kind, ParameterFault, ParameterValue};

    const CLIENT: &str = "Device.Services.VoiceService.1.SIP.Client.1.RegisterURI";
    const NETWORK: &str = "Device.Services.VoiceService.1.SIP.Network.1.UserAgentDomain";

    fn set(tree: &Tree, values: &[(&str, &str)]) -> Result<(), Vec<ParameterFault>> {
        let settings = Settings::read(&tree.snapshot()).model;
        let view = tree.instances();
        let model = DataModel::new(&view, &settings);
        let values: Vec<ParameterValue> = values
            .iter()
            .map(|(name, value)| ParameterValue {
                name: (*name).to_owned(),
                value: (*value).to_owned(),
                kind: Some(Kind::String),
            })
            .collect();
        let mut txn = Transaction::new(Actor::device());
        model.number(&mut txn);
        model.set(&values, &mut txn)?;
        tree.commit_and_wait(txn, 0).expect("granted");
        Ok(())
    }

    fn value(tree: &Tree, path: &str) -> String {
        let settings = Settings::read(&tree.snapshot()).model;
        let view = tree.instances();
        let model = DataModel::new(&view, &settings);
        let found = model.find(path).expect("it is there");
        model.value(&found[0]).value
    }

    fn device() -> Tree {
        let tree = Tree::in_memory();
        let mut txn = Transaction::new(Actor::device());
        txn.create(gateway::TABLE, Index::text("default"), Creation::Active);
        let endpoints = crate::schema::ep_adm::endpoint::TABLE;
        txn.create(endpoints, Index::text("Port01"), Creation::Active);
        let named = Name::parse("Cwmp.Tr104Enable").expect("a name");
        txn.assign(named, Value::Integer(1));
        tree.commit_and_wait(txn, 0).expect("granted");
        tree
    }

    #[test]
    fn a_uri_reads_back_as_it_was_written_whatever_the_order_of_the_request() {
        let tree = device();
        let uri = "sip:1000@ims.example";
        set(&tree, &[(CLIENT, uri), (NETWORK, "ims.example")]).expect("it fits");
        assert_eq!(value(&tree, CLIENT), uri);
        let user = Name::parse("SipEp.UserAgent[EpId=Port01].Username").expect("a name");
        assert_eq!(tree.instances().read(&user), Some("1000".into()));
        let line = "Device.Services.VoiceService.1.VoiceProfile.1.Line.1.SIP.URI";
        assert_eq!(value(&tree, line), "1000");
        set(&tree, &[(line, "1001@ims.example")]).expect("it fits");
        assert_eq!(value(&tree, CLIENT), "sip:1001@ims.example");
        set(&tree, &[(CLIENT, "")]).expect("no user");
        assert_eq!(value(&tree, CLIENT), "");
    }

    #[test]
    fn nonsense_and_a_domain_that_would_not_be_used_are_invalid_values() {
        let tree = device();
        set(&tree, &[(NETWORK, "ims.example")]).expect("it fits");
        for uri in [
            "tel:1000",
            "sip:1000@other.example",
            "sip:a:b@ims.example",
            "a b",
        ] {
            let faults = set(&tree, &[(CLIENT, uri)]).expect_err(uri);
            assert_eq!(faults[0].fault.code, 9007, "{uri}");
        }
    }
}
