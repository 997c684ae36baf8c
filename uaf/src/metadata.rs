//! What a server knows of authenticator models: statements, and the rule for models without one (uaf.md A0, A10).

mod statement;

use std::collections::{BTreeMap, BTreeSet};

use crate::aaid::Aaid;
use crate::algorithm::{Algorithm, AttestationType};
use crate::error::Error;

pub use statement::{Statement, StatementError};

/// What happens with models that have no statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnknownModels {
    /// They are refused with 1480.
    Refuse,
    /// They are taken as if a statement said: surrogate attestation, no roots, one of these algorithms.
    Surrogate(BTreeSet<Algorithm>),
}

/// All models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    statements: BTreeMap<Aaid, Model>,
    revoked: BTreeSet<Aaid>,
    /// What is assumed of a model without statement.
    unknown: Option<Model>,
}

/// The properties of one model which checks and policies look at. `None` is: not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub(crate) algorithms: BTreeSet<Algorithm>,
    pub(crate) attestation_types: BTreeSet<AttestationType>,
    pub(crate) lowest_version: u16,
    pub(crate) user_verification: Option<Vec<u32>>,
    pub(crate) key_protection: Option<u16>,
    pub(crate) matcher_protection: Option<u16>,
    pub(crate) attachment_hint: Option<u32>,
    pub(crate) tc_display: Option<u16>,
}

impl Models {
    /// No statement at all.
    #[must_use]
    pub fn new(unknown: UnknownModels) -> Self {
        let unknown = match unknown {
            UnknownModels::Refuse => None,
            UnknownModels::Surrogate(algorithms) => Some(Model::surrogate(algorithms)),
        };
        Self { statements: BTreeMap::new(), revoked: BTreeSet::new(), unknown }
    }

    /// Adds or replaces the statement of a model.
    #[must_use]
    pub fn with_statement(mut self, statement: Statement) -> Self {
        let (aaid, model) = statement.into_model();
        self.statements.insert(aaid, model);
        self
    }

    /// Refuses a model from now on, whatever is known of it.
    #[must_use]
    pub fn with_revoked(mut self, aaid: Aaid) -> Self {
        self.revoked.insert(aaid);
        self
    }

    /// The models that registration requests name as disallowed.
    pub fn revoked(&self) -> impl Iterator<Item = Aaid> + '_ {
        self.revoked.iter().copied()
    }

    /// The model of an assertion.
    ///
    /// # Errors
    /// [`Error::ModelRevoked`], [`Error::UnknownModel`].
    pub fn find(&self, aaid: Aaid) -> Result<&Model, Error> {
        if self.revoked.contains(&aaid) {
            return Err(Error::ModelRevoked);
        }
        self.statements.get(&aaid).or(self.unknown.as_ref()).ok_or(Error::UnknownModel)
    }
}

impl Model {
    fn surrogate(algorithms: BTreeSet<Algorithm>) -> Self {
        Self {
            algorithms,
            attestation_types: BTreeSet::from([AttestationType::BasicSurrogate]),
            lowest_version: 0,
            user_verification: None,
            key_protection: None,
            matcher_protection: None,
            attachment_hint: None,
            tc_display: None,
        }
    }

    /// Checks what assertions of both kinds say of themselves.
    pub(crate) fn admits(&self, version: u16, algorithm: Algorithm) -> Result<(), Error> {
        if version < self.lowest_version {
            return Err(Error::VersionTooLow);
        }
        if !self.algorithms.contains(&algorithm) {
            return Err(Error::AlgorithmNotOfModel);
        }
        Ok(())
    }
}
