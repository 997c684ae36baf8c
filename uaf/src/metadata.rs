//! What a server knows of authenticator models: statements, and the rule for models without one (FIDO metadata statements).
//!
//! ```
//! use sidegate_uaf::metadata::{Models, Statement, UnknownModels};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let statement = Statement::parse(
//!     r#"{
//!         "aaid": "D0D0#0001", "description": "a software model", "protocolFamily": "uaf", "schema": 3,
//!         "authenticatorVersion": 1, "upv": [{"major": 1, "minor": 1}],
//!         "authenticationAlgorithms": ["secp256r1_ecdsa_sha256_raw"],
//!         "publicKeyAlgAndEncodings": ["ecc_x962_raw"],
//!         "attestationTypes": ["basic_surrogate"], "attestationRootCertificates": [],
//!         "userVerificationDetails": [[{"userVerificationMethod": "fingerprint_internal"}]],
//!         "keyProtection": ["software"], "matcherProtection": ["software"], "attachmentHint": ["internal"],
//!         "tcDisplay": ["any"], "tcDisplayContentType": "text/plain", "isKeyRestricted": true
//!     }"#,
//! )?;
//! // That model and no other, and none that was revoked.
//! let models = Models::new(UnknownModels::Refuse).with_statement(statement).with_revoked("D0D0#0002".parse()?);
//! assert_eq!(models.revoked().count(), 1);
//! # Ok(())
//! # }
//! ```

mod statement;

use std::collections::{BTreeMap, BTreeSet};

use crate::aaid::Aaid;
use crate::algorithm::{Algorithm, AttestationType};
use crate::crypto::{Aging, CertificateError, Leaf, TrustAnchors};
use crate::error::Error;
use crate::wire::{PngCharacteristics, Version};

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
    outdated: BTreeSet<Aaid>,
    /// What is assumed of a model without statement.
    unknown: Option<Model>,
}

/// What a model's display can show (`tcDisplayContentType`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Takes {
    Text,
    /// Pictures of one of these kinds.
    Pictures(Vec<PngCharacteristics>),
}

/// The properties of one model which checks and policies look at. `None` is: not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) algorithms: BTreeSet<Algorithm>,
    /// The one type that it can prove itself by, whatever others it does: full with roots, surrogate without.
    pub(crate) attestation: AttestationType,
    pub(crate) roots: TrustAnchors,
    pub(crate) lowest_version: u16,
    /// The protocol versions it speaks.
    pub(crate) upv: Option<Vec<Version>>,
    pub(crate) user_verification: Option<Vec<u32>>,
    pub(crate) key_protection: Option<u32>,
    pub(crate) matcher_protection: Option<u32>,
    pub(crate) attachment_hint: Option<u32>,
    pub(crate) tc_display: Option<u32>,
    /// What that display takes.
    pub(crate) takes: Option<Takes>,
    pub(crate) second_factor_only: bool,
    /// Whether its keys sign nothing but what it made itself.
    pub(crate) key_restricted: bool,
}

impl Models {
    /// No statement at all.
    #[must_use]
    pub fn new(unknown: UnknownModels) -> Self {
        let unknown = match unknown {
            UnknownModels::Refuse => None,
            UnknownModels::Surrogate(algorithms) => Some(Model::surrogate(algorithms)),
        };
        Self { statements: BTreeMap::new(), revoked: BTreeSet::new(), outdated: BTreeSet::new(), unknown }
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

    /// Takes attestation certificates of a model that ended, or that are signed with SHA-1.
    #[must_use]
    pub fn with_outdated_attestation(mut self, aaid: Aaid) -> Self {
        self.outdated.insert(aaid);
        self
    }

    pub(crate) fn aging(&self, aaid: Aaid) -> Aging {
        if self.outdated.contains(&aaid) { Aging::Tolerated } else { Aging::Refused }
    }

    /// Sees that a leaf whose path leads to a root of this model is for it. Where the path is good for another model too,
    /// only the name in the leaf tells the two apart; the protocol leaves the name out at will.
    pub(crate) fn attribute(&self, leaf: &Leaf<'_>, aaid: Aaid) -> Result<(), CertificateError> {
        let mut others = self.statements.iter().filter(|(other, _)| **other != aaid);
        if !leaf.names(aaid)? && others.any(|(_, model)| leaf.leads_to(&model.roots)) {
            return Err(CertificateError::Nameless);
        }
        Ok(())
    }

    /// The models that registration requests name as disallowed.
    pub fn revoked(&self) -> impl Iterator<Item = Aaid> + '_ {
        self.revoked.iter().copied()
    }

    /// The models that there are statements of.
    pub(crate) fn stated(&self) -> impl Iterator<Item = Aaid> + '_ {
        self.statements.keys().copied()
    }

    pub(crate) fn states(&self, aaid: Aaid) -> bool {
        self.statements.contains_key(&aaid)
    }

    /// The model of an assertion.
    ///
    /// # Errors
    /// [`Error::ModelRevoked`], [`Error::UnknownModel`].
    pub(crate) fn find(&self, aaid: Aaid) -> Result<&Model, Error> {
        if self.revoked.contains(&aaid) {
            return Err(Error::ModelRevoked);
        }
        self.statements.get(&aaid).or(self.unknown.as_ref()).ok_or(Error::UnknownModel(aaid))
    }
}

impl Model {
    fn surrogate(algorithms: BTreeSet<Algorithm>) -> Self {
        Self {
            algorithms,
            attestation: AttestationType::BasicSurrogate,
            roots: TrustAnchors::default(),
            lowest_version: 0,
            upv: None,
            user_verification: None,
            key_protection: None,
            matcher_protection: None,
            attachment_hint: None,
            tc_display: None,
            takes: None,
            second_factor_only: false,
            key_restricted: true,
        }
    }

    /// Checks what an assertion of either kind says of the version and protocol of its authenticator.
    pub(crate) fn admits(&self, version: u16, upv: Version) -> Result<(), Error> {
        if version < self.lowest_version {
            return Err(Error::VersionTooLow);
        }
        if self.upv.as_ref().is_some_and(|spoken| !spoken.contains(&upv)) {
            return Err(Error::ProtocolNotOfModel);
        }
        Ok(())
    }

    /// Checks what a new key signs with. How it is written, no policy announces: every format that fits is taken.
    pub(crate) fn admits_algorithm(&self, algorithm: Algorithm) -> Result<(), Error> {
        if self.algorithms.contains(&algorithm) { Ok(()) } else { Err(Error::AlgorithmNotOfModel) }
    }

    /// Whether a confirmation proves that the user saw the content: there is a display, and nobody but the
    /// authenticator makes what is signed (`isKeyRestricted` of its statement).
    pub(crate) fn shows_transactions(&self) -> bool {
        self.tc_display != Some(0) && self.key_restricted
    }

    /// Whether an authenticator that registered these kinds of pictures can show a rendering: a `picture`, else a text.
    /// Its statement decides; what was registered, which nobody signed, can only say less than that. Of a model without
    /// a statement there is nothing else to go by, and text is what every display shows.
    pub(crate) fn shows(&self, picture: Option<&PngCharacteristics>, registered: &[PngCharacteristics]) -> bool {
        let among = |kinds: &[PngCharacteristics], picture| kinds.iter().any(|kind| kind.show(picture));
        self.shows_transactions()
            && match (&self.takes, picture) {
                (None | Some(Takes::Text), None) => true,
                (None, Some(picture)) => among(registered, picture),
                (Some(Takes::Pictures(kinds)), Some(picture)) => {
                    among(kinds, picture) && (registered.is_empty() || among(registered, picture))
                }
                (Some(Takes::Text), Some(_)) | (Some(Takes::Pictures(_)), None) => false,
            }
    }
}
