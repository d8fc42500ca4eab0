//! The parameters that an ACS sees, over the objects of the tree.

use super::fault::Code;
use super::settings::Model;
use crate::schema::{ColumnId, Index, Name, Role, RowLife, columns};
use crate::tree::{Instances, Transaction};
use crate::wire::soap::message::{Kind, ParameterFault, ParameterInfo, ParameterValue};

/// The data model over one version of the tree.
pub struct DataModel<'a> {
    view: &'a Instances,
    settings: &'a Model,
}

/// One parameter that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its full path.
    pub path: String,
    name: Name,
}

impl<'a> DataModel<'a> {
    /// The model over what the tree says now.
    pub fn new(view: &'a Instances, settings: &'a Model) -> Self {
        Self { view, settings }
    }

    /// The parameters of a full or partial path; "" is all of them.
    pub fn find(&self, path: &str) -> Result<Vec<Parameter>, Code> {
        let whole = path.is_empty() || path.ends_with('.');
        let found: Vec<Parameter> = self
            .all()
            .filter(|one| one.path == path || whole && one.path.starts_with(path))
            .collect();
        match found.is_empty() {
            true => Err(Code::InvalidName),
            false => Ok(found),
        }
    }

    /// A parameter's value as it stands.
    pub fn value(&self, parameter: &Parameter) -> ParameterValue {
        let syntax = &parameter.name.column.get().syntax;
        let value = self.view.read(&parameter.name);
        ParameterValue {
            name: parameter.path.clone(),
            value: value.map_or_else(String::new, |value| value.display(syntax)),
            kind: Some(Kind::String),
        }
    }

    /// What exists below a path.
    pub fn names(&self, path: &str, _next_level: bool) -> Result<Vec<ParameterInfo>, Code> {
        let found = self.find(path)?.into_iter();
        Ok(found
            .map(|one| ParameterInfo {
                writable: one.name.column.get().writable,
                name: one.path,
            })
            .collect())
    }

    /// Adds the wishes for these values; for each wish, the parameter that it came from.
    pub fn set(
        &self,
        values: &[ParameterValue],
        wishes: &mut Transaction,
    ) -> Result<Vec<usize>, Vec<ParameterFault>> {
        let mut origins = Vec::new();
        let mut faults = Vec::new();
        for (at, value) in values.iter().enumerate() {
            let fault = |code: Code| ParameterFault {
                name: value.name.clone(),
                fault: code.because(""),
            };
            let Some(one) = self.all().find(|one| one.path == value.name) else {
                faults.push(fault(Code::InvalidName));
                continue;
            };
            let column = one.name.column.get();
            let parsed = crate::schema::Value::parse(&value.value, &column.syntax);
            match (column.writable, parsed) {
                (true, Ok(parsed)) => {
                    wishes.assign(one.name, parsed);
                    origins.push(at);
                }
                (true, Err(_)) => faults.push(fault(Code::InvalidValue)),
                (false, _) => faults.push(fault(Code::NotWritable)),
            }
        }
        match faults.is_empty() {
            true => Ok(origins),
            false => Err(faults),
        }
    }

    /// Adds the wish for a new row; its number.
    pub fn add(&self, _path: &str, _wishes: &mut Transaction) -> Result<u32, Code> {
        Err(Code::InvalidName)
    }

    /// Adds the wish for a row to go.
    pub fn delete(&self, _path: &str, _wishes: &mut Transaction) -> Result<(), Code> {
        Err(Code::InvalidName)
    }

    /// What every Inform carries.
    pub fn inform(&self) -> Vec<Parameter> {
        Vec::new()
    }

    /// How a parameter is notified before the ACS says anything, and whether
    /// the ACS may say something else.
    pub fn notification(&self, _path: &str) -> (u8, bool) {
        (0, true)
    }

    fn all(&self) -> impl Iterator<Item = Parameter> {
        let root = self.settings.root;
        let scalars = columns().filter(|(_, column)| {
            column.table.get().rows == RowLife::Scalar && !matches!(column.role, Role::Alias(_))
        });
        scalars.map(move |(id, column)| Parameter {
            path: format!("{root}.X_DEMARC.{}.{}", column.service().name, column.short),
            name: scalar(id),
        })
    }
}

fn scalar(column: ColumnId) -> Name {
    Name {
        column,
        index: Index::scalar(),
    }
}
