//! What needs arguments or answers, between faces and engines.
//!
//! An engine offers an operation; a face invokes it by name. It reaches the
//! engine as one more input and comes back as one more output. A face never
//! names an engine.

use super::actor::{Actor, Rights};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The declaration of an operation.
#[derive(Debug)]
pub struct Operation {
    /// `Service.Operation`.
    pub name: &'static str,
    /// What it takes.
    pub arguments: &'static [Argument],
    /// Who may invoke it.
    pub rights: Rights,
    /// What it does, in one sentence.
    pub help: &'static str,
}

/// One argument of an operation.
#[derive(Debug)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// What it means.
    pub help: &'static str,
}

/// An operation under way.
pub struct Invocation {
    /// Which one.
    pub operation: &'static Operation,
    /// The arguments, under their declared names.
    pub arguments: BTreeMap<&'static str, String>,
    /// A file that came with it.
    pub blob: Option<Vec<u8>>,
    /// Who invoked it.
    pub actor: Actor,
    /// Takes the outcome, once.
    pub answer: Answer,
}

/// Takes the outcome of an invocation, once.
pub type Answer = Box<dyn FnOnce(Result<String, OperationError>) + Send>;

/// Where an engine takes its invocations.
pub type Sink = Arc<dyn Fn(Invocation) + Send + Sync>;

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// No engine offers it.
    #[error("there is no operation \"{0}\"; there are {1}")]
    Unknown(String, String),
    /// The actor's rights do not reach.
    #[error("{0} is not for this user")]
    NoAccess(&'static str),
    /// An argument that it does not take.
    #[error("{0} takes no argument \"{1}\"; it takes {2}")]
    UnknownArgument(&'static str, String, String),
    /// An argument that it needs.
    #[error("{0} needs the argument {1}: {2}")]
    MissingArgument(&'static str, &'static str, &'static str),
    /// The engine could not do it.
    #[error("{0}")]
    Failed(String),
}

#[derive(Default)]
pub(crate) struct Operations {
    offered: RwLock<BTreeMap<&'static str, (&'static Operation, Sink)>>,
}

impl Invocation {
    /// An argument, or "".
    pub fn argument(&self, name: &str) -> &str {
        self.arguments.get(name).map_or("", String::as_str)
    }
}

impl Operations {
    pub(crate) fn offer(&self, operation: &'static Operation, sink: Sink) {
        let mut offered = self.offered.write().unwrap_or_else(PoisonError::into_inner);
        offered.insert(operation.name, (operation, sink));
    }

    pub(crate) fn list(&self) -> Vec<&'static Operation> {
        let offered = self.offered.read().unwrap_or_else(PoisonError::into_inner);
        offered.values().map(|(operation, _)| *operation).collect()
    }

    pub(crate) fn invoke(
        &self,
        actor: Actor,
        name: &str,
        arguments: &[(String, String)],
        blob: Option<Vec<u8>>,
        answer: Answer,
    ) {
        match self.prepare(&actor, name, arguments) {
            Err(error) => answer(Err(error)),
            Ok((operation, arguments, sink)) => sink(Invocation {
                operation,
                arguments,
                blob,
                actor,
                answer,
            }),
        }
    }

    #[allow(clippy::type_complexity)] // the three parts of one lookup
    fn prepare(
        &self,
        actor: &Actor,
        name: &str,
        given: &[(String, String)],
    ) -> Result<(&'static Operation, BTreeMap<&'static str, String>, Sink), OperationError> {
        let offered = self.offered.read().unwrap_or_else(PoisonError::into_inner);
        let found = offered
            .values()
            .find(|(operation, _)| operation.name.eq_ignore_ascii_case(name));
        let Some((operation, sink)) = found else {
            let known: Vec<&str> = offered.keys().copied().collect();
            return Err(OperationError::Unknown(name.to_owned(), known.join(", ")));
        };
        if actor.rights < operation.rights {
            return Err(OperationError::NoAccess(operation.name));
        }
        Ok((operation, operation.arrange(given)?, sink.clone()))
    }
}

impl Operation {
    /// The arguments under their declared names, whatever their case.
    fn arrange(
        &self,
        given: &[(String, String)],
    ) -> Result<BTreeMap<&'static str, String>, OperationError> {
        let mut arguments = BTreeMap::new();
        for (name, value) in given {
            let declared = self.arguments.iter();
            let Some(argument) = declared
                .clone()
                .find(|argument| argument.name.eq_ignore_ascii_case(name))
            else {
                let known: Vec<&str> = declared.map(|argument| argument.name).collect();
                let known = known.join(", ");
                return Err(OperationError::UnknownArgument(
                    self.name,
                    name.clone(),
                    known,
                ));
            };
            arguments.insert(argument.name, value.clone());
        }
        let missing = self
            .arguments
            .iter()
            .find(|argument| argument.required && !arguments.contains_key(argument.name));
        match missing {
            Some(argument) => Err(OperationError::MissingArgument(
                self.name,
                argument.name,
                argument.help,
            )),
            None => Ok(arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    static GREET: Operation = Operation {
        name: "Scm.Greet",
        arguments: &[Argument {
            name: "Whom",
            required: true,
            help: "a name",
        }],
        rights: Rights::User,
        help: "Greets.",
    };

    fn invoke(
        rights: Rights,
        name: &str,
        given: &[(&str, &str)],
    ) -> Result<String, OperationError> {
        let operations = Operations::default();
        operations.offer(
            &GREET,
            Arc::new(|invocation: Invocation| {
                let text = format!("hello {}", invocation.argument("Whom"));
                (invocation.answer)(Ok(text));
            }),
        );
        let actor = Actor {
            rights,
            ..Actor::local()
        };
        let given: Vec<(String, String)> = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let (send, receive) = mpsc::channel();
        let answer = Box::new(move |outcome| send.send(outcome).expect("the test waits"));
        operations.invoke(actor, name, &given, None, answer);
        receive.recv().expect("it answers")
    }

    #[test]
    fn an_operation_is_found_whatever_the_case_and_answers_once() {
        let answer = invoke(Rights::Admin, "scm.greet", &[("whom", "you")]);
        assert_eq!(answer, Ok("hello you".to_owned()));
    }

    #[test]
    fn what_it_does_not_take_or_lacks_is_named() {
        let text =
            |outcome: Result<String, OperationError>| outcome.expect_err("refused").to_string();
        assert_eq!(
            text(invoke(Rights::Admin, "Scm.Greet", &[])),
            "Scm.Greet needs the argument Whom: a name"
        );
        assert_eq!(
            text(invoke(Rights::Admin, "Scm.Greet", &[("Who", "x")])),
            "Scm.Greet takes no argument \"Who\"; it takes Whom"
        );
        assert_eq!(
            text(invoke(Rights::Admin, "Scm.Part", &[])),
            "there is no operation \"Scm.Part\"; there are Scm.Greet"
        );
        assert_eq!(
            text(invoke(Rights::Observer, "Scm.Greet", &[("Whom", "x")])),
            "Scm.Greet is not for this user"
        );
    }
}
