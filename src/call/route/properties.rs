//! What routes and mappings look at and change.

/// Both parties of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Properties {
    /// Who is called.
    pub called: Party,
    /// Who calls.
    pub calling: Party,
}

/// One party; what is not known is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Its number (E.164), or its user where that is none.
    pub number: String,
    /// Its display name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its whole URI.
    pub uri: String,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who is called.
    Called,
    /// Who calls.
    Calling,
}

/// One thing that is known of a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facet {
    /// Its number.
    Number,
    /// Its display name.
    Name,
    /// Its host.
    Host,
    /// Its whole URI.
    Uri,
}

/// One thing that is known of a call, such as the called number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property {
    /// Of whom.
    pub side: Side,
    /// What.
    pub facet: Facet,
}

impl Properties {
    /// What a property is.
    #[must_use]
    pub fn read(&self, property: Property) -> &str {
        let party = match property.side {
            Side::Called => &self.called,
            Side::Calling => &self.calling,
        };
        match property.facet {
            Facet::Number => &party.number,
            Facet::Name => &party.name,
            Facet::Host => &party.host,
            Facet::Uri => &party.uri,
        }
    }

    /// Makes a property another.
    pub fn write(&mut self, property: Property, value: String) {
        let party = match property.side {
            Side::Called => &mut self.called,
            Side::Calling => &mut self.calling,
        };
        let place = match property.facet {
            Facet::Number => &mut party.number,
            Facet::Name => &mut party.name,
            Facet::Host => &mut party.host,
            Facet::Uri => &mut party.uri,
        };
        *place = value;
    }
}
