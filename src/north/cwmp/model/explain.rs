//! What a path is, in words, without a device.

use super::export::column;
use super::map::{Access, Cell, Form, Leaf, Object, Otherwise, Source, objects};
use crate::schema::{ColumnId, RowLife};

/// A path and what there is to say about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Explained {
    /// With `{i}` for numbers.
    pub path: String,
    /// Its type and access.
    pub syntax: String,
    /// Where it comes from.
    pub source: String,
    /// What the MIB says of that.
    pub description: &'static str,
}

/// What a full path is, or all that stands directly in an object or table.
pub fn explain(path: &str) -> Vec<Explained> {
    let path = pattern(path);
    let all = objects().iter();
    let all = all.flat_map(|object| object.leaves.iter().map(move |leaf| (object, leaf)));
    let is_meant = |object: &Object, leaf: &Leaf| match path.strip_prefix(object.path) {
        Some(rest) => rest.is_empty() || rest == leaf.name,
        None => object.path.strip_suffix("{i}.") == Some(&path),
    };
    all.filter(|(object, leaf)| is_meant(object, leaf))
        .map(|(object, leaf)| explained(object, leaf))
        .collect()
}

/// The path with `{i}` for what stands for an instance.
fn pattern(path: &str) -> String {
    let path = path.replacen("InternetGatewayDevice", "Device", 1);
    let is_instance = |segment: &str| {
        let digits = segment.bytes().all(|octet| octet.is_ascii_digit());
        segment == "*" || segment.starts_with('[') || digits && !segment.is_empty()
    };
    let segments = path.split('.').map(|segment| match is_instance(segment) {
        true => "{i}",
        false => segment,
    });
    segments.collect::<Vec<_>>().join(".")
}

fn explained(object: &Object, leaf: &Leaf) -> Explained {
    let access = match leaf.access {
        Access::Read => "read only",
        Access::Write => "may be written",
        Access::Once => "may be written once",
    };
    Explained {
        path: format!("{}{}", object.path, leaf.name),
        syntax: format!("{}, {access}", leaf.syntax),
        source: source(leaf),
        description: column(leaf).map_or("", |column| column.description),
    }
}

fn source(leaf: &Leaf) -> String {
    match leaf.source {
        Source::Constant(text) => format!("always \"{text}\""),
        Source::Version => "the version of the software".to_owned(),
        Source::Count(id) => format!("how many {} there are", objects()[usize::from(id)].path),
        Source::Alias => "the alias of the instance".to_owned(),
        Source::Transport => "SipEp.TransportConfig: the transport of requests".to_owned(),
        Source::Cell(cell) => from_tree(cell),
    }
}

fn from_tree(cell: &Cell) -> String {
    let part = match cell.form {
        Form::Host => "the host of ",
        Form::Port(_) => "the port of ",
        Form::Least => "the least period of ",
        Form::Greatest => "the greatest period of ",
        Form::Uri => "as a SIP URI: ",
        Form::Path(_) => "the path of the row that is named in ",
        Form::Plain
        | Form::Switch
        | Form::Choice(_)
        | Form::Time
        | Form::Tenths
        | Form::User
        | Form::Pattern
        | Form::Events => "",
    };
    let own = name(cell.column);
    let otherwise = match cell.otherwise {
        Otherwise::Nothing => String::new(),
        Otherwise::Empty(other) => format!(", {} where that is empty", name(other)),
        Otherwise::Unless { switch, column, .. } => {
            format!(", {} unless {} is set", name(column), name(switch))
        }
    };
    format!("{part}{own}{otherwise}")
}

/// `SipEp.Gateway.Port`.
fn name(column: ColumnId) -> String {
    let column = column.get();
    let table = column.table.get();
    let service = table.service.get().name;
    match table.rows {
        RowLife::Scalar => format!("{service}.{}", column.short),
        _ => format!("{service}.{}.{}", table.short, column.short),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_explained_whatever_its_instance() {
        for path in [
            "Device.Services.VoiceService.1.SIP.Network.4.ProxyServerPort",
            "InternetGatewayDevice.Services.VoiceService.*.SIP.Network.[main].ProxyServerPort",
        ] {
            let [one] = &explain(path)[..] else {
                panic!("{path} is one parameter");
            };
            assert_eq!(one.syntax, "unsignedInt[0..65535], may be written");
            assert_eq!(
                one.source,
                "the port of SipEp.GwSpecificProxy.HomeDomainHost, \
                 SipEp.DefaultStaticProxyHomeDomainHost unless SipEp.GwSpecificProxy.EnableConfig is set"
            );
        }
    }

    #[test]
    fn an_object_is_its_parameters_and_nonsense_is_nothing() {
        assert!(explain("Device.Time.").len() > 5);
        assert!(explain("Device.Time.Client.").len() > 3);
        assert!(explain("Device.Tim").is_empty());
    }
}
