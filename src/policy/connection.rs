//! Connections: by which way a user may sign in for a third party (design, decision 21).

/// The connections that the policy document lists.
#[derive(Debug, Default)]
pub struct Connections(Option<Vec<String>>);

impl Connections {
    /// A document that lists connections; these are the domain connections among them.
    #[must_use]
    pub fn listed(domain: Vec<String>) -> Self {
        Self(Some(domain))
    }

    /// Whether the document lists any; one that does not polices none.
    #[must_use]
    pub fn are_listed(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a strict client may ask for a connection.
    #[must_use]
    pub fn allow(&self, connection: &str) -> bool {
        self.0.as_ref().is_none_or(|domain| domain.iter().any(|known| known == connection))
    }

    /// The one domain connection, where there is just one.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        match self.0.as_deref() {
            Some([only]) => Some(only),
            Some(_) | None => None,
        }
    }
}
