//! Names as scripts and the command line write them.
//!
//! `Service.Scalar`, `Service.Table[Index=key].Column`, or an OID wherever a
//! name is. Reading ignores case; printing is canonical.

use super::index::{Index, IndexError};
use super::near::{begins_several, needs_column, no_object, no_service, row_pattern};
use super::value::{Value, ValueError, dotted, parse_oid};
use super::{
    ColumnId, Role, RowLife, ServiceId, Syntax, TableId, column_at, columns, service, tables,
};

/// One instance: a column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The column.
    pub column: ColumnId,
    /// The row's key.
    pub index: Index,
}

/// What a name without a column or an index selects, for `walk` and `get`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Everything.
    All,
    /// All objects of a service.
    Service(ServiceId),
    /// All columns whose name begins so, of a service: `SipEp.Transport`, or a user's own word.
    Columns(Vec<ColumnId>),
    /// All columns of one row.
    Row(TableId, Index),
    /// One column of every row.
    Column(ColumnId),
    /// One instance.
    Instance(Name),
}

/// Why a text names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No service of that name.
    #[error("\"{0}\" is no service; {1}")]
    NoService(String, String),
    /// The service has no such object.
    #[error("{0} has no object \"{1}\"{2}")]
    NoObject(String, String, String),
    /// The OID is below no object.
    #[error("no object has the OID {0}")]
    NoOid(String),
    /// The index in brackets does not fit.
    #[error("{0}: {1}")]
    BadIndex(String, String),
    /// A table's column without a row.
    #[error("{0} needs a row: {1}")]
    NeedsRow(String, String),
    /// A row without a column.
    #[error("{0} is a whole row, name a column of it: {1}")]
    NeedsColumn(String, String),
    /// Brackets or dots that do not pair.
    #[error(
        "\"{0}\" is not a name; names look like Service.Scalar or Service.Table[Index=key].Column"
    )]
    Malformed(String),
}

impl Name {
    /// Reads the name of one instance.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match Selection::parse(text)? {
            Selection::Instance(name) => Ok(name),
            Selection::Column(column) if column.get().table.get().rows == RowLife::Scalar => {
                Ok(Self {
                    column,
                    index: Index::scalar(),
                })
            }
            Selection::Column(column) => Err(NameError::NeedsRow(text.to_owned(), pattern(column))),
            Selection::Row(table, _) => Err(needs_column(text, table)),
            Selection::Columns(columns) => Err(begins_several(text, &columns)),
            Selection::All | Selection::Service(_) => Err(NameError::Malformed(text.to_owned())),
        }
    }

    /// The instance of an OID with its index.
    pub fn from_oid(oid: &[u32]) -> Result<Self, NameError> {
        let missing = || NameError::NoOid(dotted(oid));
        let (column, rest) = column_at(oid).ok_or_else(missing)?;
        let table = column.get().table.get();
        let index = Index::read(table, rest)
            .map_err(|error| NameError::BadIndex(dotted(oid), error.to_string()))?;
        Ok(Self { column, index })
    }

    /// The object itself, where this is a standard's name for it.
    #[must_use]
    pub fn resolved(self) -> Self {
        match self.column.get().role {
            Role::Alias(column) => Self {
                column,
                index: self.index,
            },
            _ => self,
        }
    }

    /// The whole OID.
    pub fn oid(&self) -> Vec<u32> {
        [self.column.get().oid, self.index.arcs()].concat()
    }

    /// The OID with dots.
    pub fn dotted(&self) -> String {
        dotted(&self.oid())
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let column = self.column.get();
        let table = column.table.get();
        let service = table.service.get().name;
        if table.rows == RowLife::Scalar {
            return write!(f, "{service}.{}", column.short);
        }
        let row = row_in_words(column.table, &self.index);
        write!(f, "{service}.{}{row}.{}", table.short, column.short)
    }
}

impl Selection {
    /// Reads a name, a part of one, an OID, or one of the user's own words.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::All);
        }
        if text.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return Self::parse_oid(text);
        }
        if let Some((service, prefix)) = own_word(text) {
            return Self::parse_object(service, prefix, text);
        }
        let Some((head, rest)) = text.split_once('.') else {
            return service(text)
                .map(Self::Service)
                .ok_or_else(|| no_service(text));
        };
        let service = service(head).ok_or_else(|| no_service(head))?;
        Self::parse_object(service.get().name, rest, text)
    }

    fn parse_oid(text: &str) -> Result<Self, NameError> {
        let oid =
            parse_oid(text).map_err(|error: ValueError| NameError::NoOid(error.to_string()))?;
        if let Some((column, [])) = column_at(&oid) {
            return Ok(Self::Column(column));
        }
        if column_at(&oid).is_some() {
            return Name::from_oid(&oid).map(Self::Instance);
        }
        let below: Vec<ColumnId> = columns()
            .filter(|(_, column)| column.oid.starts_with(&oid))
            .map(|(id, _)| id)
            .collect();
        if below.is_empty() {
            return Err(NameError::NoOid(dotted(&oid)));
        }
        Ok(Self::Columns(below))
    }

    fn parse_object(owner: &str, rest: &str, whole: &str) -> Result<Self, NameError> {
        let service = service(owner).ok_or_else(|| no_service(owner))?;
        let Some((table, rest)) = rest.split_once('[') else {
            return Self::parse_plain(service, rest);
        };
        let malformed = || NameError::Malformed(whole.to_owned());
        let table = table_of(service, table)?;
        let (keys, rest) = split_brackets(rest).ok_or_else(malformed)?;
        let index =
            index_of(table, &keys).map_err(|error| NameError::BadIndex(whole.to_owned(), error))?;
        if rest.is_empty() {
            return Ok(Self::Row(table, index));
        }
        let short = rest.strip_prefix('.').ok_or_else(malformed)?;
        let column =
            column_of(table, short).ok_or_else(|| no_object(service, Some(table), short))?;
        Ok(Self::Instance(Name { column, index }))
    }

    /// A scalar, a table, `Table.Column`, or the beginning of several names.
    fn parse_plain(service: ServiceId, rest: &str) -> Result<Self, NameError> {
        if let Some((table, short)) = rest.split_once('.') {
            let table = table_of(service, table)?;
            let column =
                column_of(table, short).ok_or_else(|| no_object(service, Some(table), short))?;
            return Ok(Self::Column(column));
        }
        let mine = |id: ColumnId| id.get().table.get().service == service;
        let scalar = |id: ColumnId| id.get().table.get().rows == RowLife::Scalar;
        let exact = columns().find(|(id, column)| {
            mine(*id) && scalar(*id) && column.short.eq_ignore_ascii_case(rest)
        });
        if let Some((column, _)) = exact {
            return Ok(Self::Column(column));
        }
        if let Ok(table) = table_of(service, rest) {
            return Ok(Self::Columns(table.get().columns.to_vec()));
        }
        let begins = |name: &str| {
            name.get(..rest.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(rest))
        };
        let matching: Vec<ColumnId> = columns()
            .filter(|(id, column)| mine(*id) && begins(column.name))
            .map(|(id, _)| id)
            .collect();
        if matching.is_empty() {
            return Err(no_object(service, None, rest));
        }
        Ok(Self::Columns(matching))
    }

    /// The columns it selects, in order of OID, and the one row where it names one.
    pub fn columns(&self) -> (Vec<ColumnId>, Option<&Index>) {
        match self {
            Self::All => (columns().map(|(id, _)| id).collect(), None),
            Self::Service(service) => (
                columns()
                    .filter(|(_, column)| column.table.get().service == *service)
                    .map(|(id, _)| id)
                    .collect(),
                None,
            ),
            Self::Columns(columns) => (columns.clone(), None),
            Self::Row(table, index) => (table.get().columns.to_vec(), Some(index)),
            Self::Column(column) => (vec![*column], None),
            Self::Instance(name) => (vec![name.column], Some(&name.index)),
        }
    }
}

/// `Service.Table[Index=key]`, or `Service` for a service's scalars.
pub fn row_name(table: TableId, index: &Index) -> String {
    let object = table.get();
    let service = object.service.get().name;
    match object.rows {
        RowLife::Scalar => service.to_owned(),
        _ => format!("{service}.{}{}", object.short, row_in_words(table, index)),
    }
}

/// `[GatewayName=default]`, in the words of the table's index columns.
pub(crate) fn row_in_words(table: TableId, index: &Index) -> String {
    let Ok(values) = index.values(table.get()) else {
        return format!("[{index:?}]");
    };
    let keys: Vec<String> = table
        .get()
        .indexes
        .iter()
        .zip(&values)
        .map(|(column, value)| {
            let column = column.get();
            format!("{}={}", column.short, key_in_words(value, &column.syntax))
        })
        .collect();
    format!("[{}]", keys.join(","))
}

/// Bare where it can be, quoted where it holds what a name is made of.
fn key_in_words(key: &Value, syntax: &Syntax) -> String {
    let text = key.display(syntax);
    // A bare 0x would be read back as octets.
    let plain = !text.is_empty()
        && !text.starts_with("0x")
        && !text.contains(|letter: char| letter.is_whitespace() || r#",[]"=\"#.contains(letter));
    if plain { text } else { key.script(syntax) }
}

/// The users' words of the how-to for groups of objects.
fn own_word(text: &str) -> Option<(&'static str, &'static str)> {
    const WORDS: [(&str, &str, &str); 4] = [
        ("SipEpTransport", "SipEp", "Transport"),
        ("MediaSecurity", "Mipt", "Security"),
        (
            "TlsCertificateValidation",
            "SipEp",
            "InteropTlsCertificateValidation",
        ),
        ("Certificates", "Cert", ""),
    ];
    let found = WORDS
        .iter()
        .find(|(word, ..)| word.eq_ignore_ascii_case(text));
    found.map(|(_, service, prefix)| (*service, *prefix))
}

fn table_of(service: ServiceId, short: &str) -> Result<TableId, NameError> {
    tables()
        .find(|(_, table)| {
            table.service == service
                && !table.short.is_empty()
                && table.short.eq_ignore_ascii_case(short)
        })
        .map(|(id, _)| id)
        .ok_or_else(|| no_object(service, None, short))
}

fn column_of(table: TableId, short: &str) -> Option<ColumnId> {
    let columns = table.get().columns.iter();
    columns
        .copied()
        .find(|column| column.get().short.eq_ignore_ascii_case(short))
}

/// `A=x,B=y]rest`, where a quoted key may hold any character.
fn split_brackets(text: &str) -> Option<(Vec<(&str, &str)>, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    let mut start = 0;
    let mut keys = Vec::new();
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' | ']' if !quoted => {
                let (name, value) = text[start..at].split_once('=')?;
                keys.push((name.trim(), value.trim()));
                start = at + 1;
                if letter == ']' {
                    return Some((keys, &text[start..]));
                }
            }
            _ => {}
        }
    }
    None
}

fn index_of(table: TableId, keys: &[(&str, &str)]) -> Result<Index, String> {
    let mut values = Vec::new();
    for column in table.get().indexes {
        let column = column.get();
        let Some((_, text)) = keys.iter().find(|(name, _)| {
            column.short.eq_ignore_ascii_case(name) || column.name.eq_ignore_ascii_case(name)
        }) else {
            let row = row_pattern(table);
            return Err(format!(
                "the index {} is missing; write {row}",
                column.short
            ));
        };
        values.push(Value::parse(text, &column.syntax).map_err(|error| error.to_string())?);
    }
    if keys.len() != values.len() {
        return Err(IndexError::Count.to_string());
    }
    Index::of(table.get(), &values).map_err(|error| error.to_string())
}

/// `Service.Table[Index=...].Column`.
pub(super) fn pattern(column: ColumnId) -> String {
    let column = column.get();
    let table = column.table.get();
    let keys: Vec<String> = table
        .indexes
        .iter()
        .map(|index| format!("{}=...", index.get().short))
        .collect();
    format!(
        "{}.{}[{}].{}",
        table.service.get().name,
        table.short,
        keys.join(","),
        column.short
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_whatever_its_case_and_printed_canonically() {
        let name = Name::parse("hoc.staticSNTPservers[priority=2].hostname").expect("it is there");
        assert_eq!(
            name.to_string(),
            "Hoc.StaticSntpServers[Priority=2].HostName"
        );
        assert_eq!(Name::parse(&name.dotted()), Ok(name));
    }

    #[test]
    fn a_scalar_is_one_instance_and_a_column_is_none() {
        let scalar = Name::parse("Hoc.SystemName").expect("a scalar");
        assert_eq!(scalar.index, Index::scalar());
        let refused = Name::parse("Hoc.StaticHosts.Name").expect_err("no row");
        assert_eq!(
            refused.to_string(),
            "Hoc.StaticHosts.Name needs a row: Hoc.StaticHosts[Index=...].Name"
        );
    }

    #[test]
    fn keys_with_commas_and_brackets_are_quoted() {
        let name = Name::parse(r#"Scm.ServicesConfig[Name="a,]\"b"].StartupType"#).expect("quoted");
        assert_eq!(name.index, Index::text("a,]\"b"));
        assert_eq!(Name::parse(&name.to_string()), Ok(name));
    }

    #[test]
    fn a_key_that_looks_like_octets_is_quoted() {
        let name = Name {
            index: Index::text("0x41"),
            ..Name::parse("Scm.ServicesConfig[Name=x].StartupType").expect("a name")
        };
        assert_eq!(Name::parse(&name.to_string()), Ok(name));
    }

    #[test]
    fn a_key_that_is_no_text_is_written_as_octets() {
        for key in ["a\u{7}", "a\nb", "a\u{a0}"] {
            let name = Name {
                index: Index::text(key),
                ..Name::parse("Scm.ServicesConfig[Name=x].StartupType").expect("a name")
            };
            let written = name.to_string();
            assert!(!written.contains('\n'), "{written}");
            assert_eq!(Name::parse(&written), Ok(name));
        }
    }

    #[test]
    fn a_wrong_name_says_what_is_near() {
        let text = |name: &str| Name::parse(name).expect_err("wrong").to_string();
        assert!(text("Hoc.Contact").contains("did you mean Hoc.SystemContact?"));
        assert_eq!(
            text("Hoc.StaticHosts[Idx=1].Name"),
            "Hoc.StaticHosts[Idx=1].Name: the index Index is missing; write Hoc.StaticHosts[Index=...]"
        );
    }

    #[test]
    fn every_instance_name_of_the_schema_is_read_back() {
        let mut seen = 0;
        for (column, object) in columns() {
            let table = object.table.get();
            let index = match table.rows {
                RowLife::Scalar => Index::scalar(),
                _ => {
                    let values: Vec<Value> = table
                        .indexes
                        .iter()
                        .map(|id| match id.get().syntax.base {
                            super::super::Base::Octets => Value::from("x"),
                            super::super::Base::Integer => Value::Integer(1),
                            _ => Value::Unsigned(1),
                        })
                        .collect();
                    Index::of(table, &values).expect("fits")
                }
            };
            let name = Name { column, index };
            assert_eq!(Name::parse(&name.to_string()), Ok(name.clone()), "{name}");
            seen += 1;
        }
        assert!(seen > 50);
    }
}
