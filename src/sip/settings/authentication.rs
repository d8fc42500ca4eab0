//! Credentials, and the requests that each row of them is for.

use crate::schema::Secret;
use crate::schema::sip_ep::authentication;
use crate::tree;
use crate::view;

/// One row of `Authentication`.
#[derive(Clone, PartialEq, Eq)]
pub struct Authentication {
    /// Which requests the row is for.
    pub criteria_selection: CriteriaSelection,
    /// The endpoint, where the criteria say endpoint.
    pub ep_id: String,
    /// The gateway, where the criteria say gateway.
    pub gateway_name: String,
    /// The user of the request's From, where the criteria say username.
    pub username_criteria: String,
    /// Whether the challenge's realm must be `realm`.
    pub validate_realm: bool,
    /// The realm; empty answers any.
    pub realm: String,
    /// The user name of the credentials.
    pub username: String,
    /// The password of the credentials.
    pub password: String,
}

impl Default for Authentication {
    fn default() -> Self {
        Self::of(tree::initial())
    }
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authentication")
            .field("criteria_selection", &self.criteria_selection)
            .field("realm", &self.realm)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// `authenticationCriteriaSelection`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CriteriaSelection {
    /// Every request.
    Unit,
    /// Those of one endpoint.
    Endpoint,
    /// Those of one gateway.
    Gateway,
    /// Those from one user name.
    Username,
}

view! {
    /// A row of credentials; its password leaves the [`Secret`] here.
    pub(super) struct AuthenticationRow: sip_ep::authentication {
        criteria_selection: CriteriaSelection = CRITERIA_SELECTION,
        ep_id: String = EP_ID,
        gateway_name: String = GATEWAY_NAME,
        username_criteria: String = USERNAME_CRITERIA,
        validate_realm: bool = VALIDATE_REALM,
        realm: String = REALM,
        username: String = USERNAME,
        password: Secret = PASSWORD,
    }
}

impl Authentication {
    /// The row, its password out of its [`Secret`].
    pub(super) fn of(row: AuthenticationRow) -> Self {
        Self {
            criteria_selection: row.criteria_selection,
            ep_id: row.ep_id,
            gateway_name: row.gateway_name,
            username_criteria: row.username_criteria,
            validate_realm: row.validate_realm,
            realm: row.realm,
            username: row.username,
            password: String::from_utf8_lossy(row.password.expose()).into_owned(),
        }
    }
}

labels! { authentication::CriteriaSelection => CriteriaSelection { Unit, Endpoint, Gateway, Username } }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_by_debug() {
        let row = Authentication {
            password: "secret".into(),
            ..Authentication::default()
        };
        assert!(!format!("{row:?}").contains("secret"));
    }
}
