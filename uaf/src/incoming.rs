//! First steps with a response: it is read, its serverData is verified and that the challenge was issued with it
//! ([`crate::RelyingParty::open`]). Between that and the `finish` of the ceremony the caller loads the operation and takes
//! the challenge out of its store, in one atomic step. A relay only reads ([`Incoming::parse`]).

use crate::aaid::KeyRef;
use crate::assertion::{AuthenticationAssertion, RegistrationAssertion};
use crate::denial::Denial;
use crate::encoding::{self, JsonError};
use crate::error::Error;
use crate::server_data::{ServerData, ServerDataKey};
use crate::wire::{
    AuthenticatorAssertion, Challenge, FinalChallengeParams, IncompleteParams, Operation, OperationHeader, Reply,
    Response, SendUafResponse, Version, Versions,
};

/// A response that could be read, for [`crate::relay`]. Nothing in it is verified.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub(crate) response: Response,
    pub(crate) reply: Reply,
    /// What the reader speaks.
    versions: Versions,
}

/// A response whose serverData this server made, together with the challenge that is in it.
#[derive(Debug, Clone)]
pub struct Opened {
    pub(crate) incoming: Incoming,
    pub(crate) final_challenge: FinalChallengeParams,
    server_data: ServerData,
    keys: Vec<KeyRef>,
}

/// What an assertion says of its key.
pub(crate) struct Asserted {
    pub(crate) key: KeyRef,
    /// Of the authenticator.
    pub(crate) version: u16,
    /// The registry's value, served here or not.
    pub(crate) algorithm: u16,
}

impl Incoming {
    /// Reads `uafResponse` and `context` of a [`crate::wire::SendUafResponse`] at the endpoint for `operation`, in
    /// version 1.1 alone. A server verifies as well: [`crate::RelyingParty::open`].
    ///
    /// # Errors
    /// [`Error::NotUaf`], [`Error::SeveralMessages`], those about JSON, [`Error::UnsupportedVersion`],
    /// [`Error::WrongOperation`], [`Error::UnknownExtension`], [`Error::ServerDataMissing`].
    pub fn parse(operation: Operation, uaf_response: &str, context: Option<&str>) -> Result<Self, Error> {
        Self::parse_in(Versions::Only1_1, operation, uaf_response, context)
    }

    pub(crate) fn parse_in(
        versions: Versions,
        operation: Operation,
        uaf_response: &str,
        context: Option<&str>,
    ) -> Result<Self, Error> {
        let list: Vec<Response> =
            encoding::parse(uaf_response).map_err(|fault| explain(fault, uaf_response, versions))?;
        let mut list = list.into_iter();
        let response = list.next().ok_or(Error::NotUaf("empty array"))?;
        if list.next().is_some() {
            return Err(Error::SeveralMessages);
        }
        let header = &response.header;
        if !versions.include(header.upv) {
            return Err(Error::UnsupportedVersion);
        }
        if header.op != operation {
            return Err(Error::WrongOperation);
        }
        if header.exts.iter().any(|extension| extension.fail_if_unknown) {
            return Err(Error::UnknownExtension);
        }
        if header.server_data.is_none() {
            return Err(Error::ServerDataMissing);
        }
        let reply = context.map(encoding::parse_with_null_members).transpose().map_err(in_context)?.unwrap_or_default();
        Ok(Self { response, reply, versions })
    }

    /// The head of the response.
    #[must_use]
    pub const fn header(&self) -> &OperationHeader {
        &self.response.header
    }

    /// What the context says beside the message: codes, the device's names.
    #[must_use]
    pub const fn reply(&self) -> &Reply {
        &self.reply
    }

    /// What the authenticator hashed, decoded.
    ///
    /// # Errors
    /// [`Error::FcParamsEncoding`], [`Error::FcParams`].
    pub fn final_challenge(&self) -> Result<FinalChallengeParams, Error> {
        let forgiven = self.versions == Versions::From1_0Incomplete && self.response.header.upv == Version::V1_0;
        let decode = if forgiven { encoding::decode_padded } else { encoding::decode };
        let bytes = decode(&self.response.fc_params).map_err(|_| Error::FcParamsEncoding)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::FcParamsEncoding)?;
        let params =
            if forgiven { encoding::parse::<IncompleteParams>(text).map(Into::into) } else { encoding::parse(text) };
        params.map_err(|fault| Error::FcParams(fault.to_string()))
    }

    /// The keys that the assertions are about; assertions that cannot be parsed are left out, `finish` names their fault.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyRef> {
        self.response.assertions.iter().filter_map(|assertion| Some(self.read(assertion).ok()?.key)).collect()
    }

    /// What each assertion says of its key, where every one has to be readable.
    ///
    /// # Errors
    /// The fault of the first assertion that can't be read.
    pub(crate) fn asserted(&self) -> Result<Vec<Asserted>, Error> {
        self.response.assertions.iter().map(|assertion| self.read(assertion)).collect()
    }

    fn read(&self, assertion: &AuthenticatorAssertion) -> Result<Asserted, Error> {
        let bytes = assertion.assertion.as_bytes();
        let common = match self.response.header.op {
            Operation::Reg => RegistrationAssertion::parse(bytes)?.common,
            _ => AuthenticationAssertion::parse(bytes)?.common,
        };
        let algorithm = common.algorithm.map_or_else(|unknown| unknown, u16::from);
        Ok(Asserted { key: common.key_ref()?, version: common.version, algorithm })
    }

    /// The denial that an answer without assertions is, if it says why; none where there are assertions.
    ///
    /// # Errors
    /// [`Error::NoAssertions`].
    pub fn denial(&self) -> Result<Option<Denial>, Error> {
        if !self.response.assertions.is_empty() {
            return Ok(None);
        }
        let (asm_status_code, client_error_code) = (self.reply.asm_status_code, self.reply.client_error_code);
        if asm_status_code.is_none() && client_error_code.is_none() {
            return Err(Error::NoAssertions);
        }
        Ok(Some(Denial { asm_status_code, client_error_code }))
    }

    /// The answer as it was understood, for another server: nothing in it can be read in two ways.
    #[must_use]
    pub fn to_transport(&self) -> SendUafResponse {
        SendUafResponse::new(&self.response, &self.reply)
    }

    /// Verifies serverData, decodes fcParams, and sees that its challenge was issued with this serverData.
    pub(crate) fn open(self, key: &ServerDataKey) -> Result<Opened, Error> {
        let text = self.response.header.server_data.as_ref().ok_or(Error::ServerDataMissing)?;
        let server_data = key.open(text)?;
        if !server_data.is_for(self.response.header.op) {
            return Err(Error::ServerDataOfAnotherOperation);
        }
        let final_challenge = self.final_challenge()?;
        if !server_data.issued_with(&final_challenge.challenge) {
            return Err(Error::ChallengeMismatch);
        }
        let keys = self.keys();
        Ok(Opened { incoming: self, final_challenge, server_data, keys })
    }
}

impl Opened {
    /// The caller's name for the operation.
    #[must_use]
    pub fn operation_id(&self) -> &str {
        self.server_data.operation_id()
    }

    /// What serverData says: operation, purpose, end.
    #[must_use]
    pub const fn server_data(&self) -> &ServerData {
        &self.server_data
    }

    /// The challenge, to be taken out of the store before the ceremony is finished.
    #[must_use]
    pub const fn challenge(&self) -> &Challenge {
        &self.final_challenge.challenge
    }

    /// The app or origin that answers, as its client says.
    #[must_use]
    pub fn facet_id(&self) -> &str {
        self.final_challenge.facet_id.as_str()
    }

    /// What the context says beside the message.
    #[must_use]
    pub const fn reply(&self) -> &Reply {
        &self.incoming.reply
    }

    /// The keys that the assertions are about, see [`Incoming::keys`].
    #[must_use]
    pub fn keys(&self) -> &[KeyRef] {
        &self.keys
    }
}

/// Names the fault of a text that is no list of responses: the version goes before missing members.
fn explain(fault: JsonError, text: &str, versions: Versions) -> Error {
    #[derive(serde::Deserialize)]
    struct Head {
        header: Upv,
    }
    #[derive(serde::Deserialize)]
    struct Upv {
        upv: Version,
    }
    let JsonError::Member(path) = fault else {
        return fault.into();
    };
    if !text.trim_start().starts_with('[') {
        return Error::NotUaf("not an array");
    }
    match serde_json::from_str::<Vec<Head>>(text) {
        Ok(heads) if heads.iter().any(|head| !versions.include(head.header.upv)) => Error::UnsupportedVersion,
        _ => Error::Member(path),
    }
}

fn in_context(fault: JsonError) -> Error {
    Error::Member(format!("context: {fault}"))
}
