//! A house with one user who has a session, a UAF key and a phone that is a dispatch target.

use std::net::IpAddr;

use bytes::Bytes;
use http::{Extensions, HeaderMap, Method};
use serde_json::json;
use sidegate::dispatchers::DispatchData;
use sidegate::identity::DomainSessions;
use sidegate::jose::{DecryptionKey, MessageSigningKey};
use sidegate::oob::{Asker, DispatchRequest, NewTarget, Redeem, Tokens};
use sidegate::store::DataFolder;
use sidegate::store::operation::OperationKind;
use sidegate_filters::clock::{Clock as _, SystemClock};
use sidegate_filters::jws::{EcCurve, JwkDocument, KeyKind, VerificationKey};
use sidegate_filters::jws_bypass::JwsBypassFilter;
use sidegate_filters::{Caller, CanonicalPath, Client, Exchange, InternalCaller, PathTemplate, Role};

use super::Failure;
use super::services::Shared;

/// The context of a request for the one user.
pub(crate) const JEFF: &str = r#"{"username":"jeff"}"#;
const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// The house.
pub(crate) struct House {
    runtime: tokio::runtime::Runtime,
    bank: Caller,
    signing: MessageSigningKey,
    pub(crate) target: String,
    pub(crate) key: VerificationKey,
    pub(crate) tokens: Tokens,
    pub(crate) redeem: Redeem,
    pub(crate) bypass: JwsBypassFilter,
    pub(crate) sessions: DomainSessions,
    pub(crate) cookie: String,
    _folder: tempfile::TempDir,
}

impl House {
    pub(crate) fn build() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let shared = Shared::build(&DataFolder::open(folder.path().join("var"))?)?;
        let p256 = KeyKind::Ec(EcCurve::P256);
        let (signing, encryption) = (MessageSigningKey::generate(p256)?, DecryptionKey::generate(p256)?);
        let bank = Caller::Internal(InternalCaller { name: "bank".into(), roles: vec![Role::ActFor] });
        let sessions = shared.sessions()?;
        let cookie = runtime.block_on(shared.login(&sessions))?;
        runtime.block_on(shared.register(&asker(&bank)))?;
        let new = new_target(&signing, &encryption);
        let target = runtime.block_on(shared.targets().create(&asker(&bank), new))?;
        Ok(Self {
            key: VerificationKey::try_from(JwkDocument::parse(&signing.public_jwk())?)?,
            tokens: shared.tokens(),
            redeem: shared.redeem(),
            bypass: shared.bypass(),
            sessions,
            cookie,
            target,
            signing,
            bank,
            runtime,
            _folder: folder,
        })
    }

    /// Runs a service to its end.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub(crate) fn asker(&self) -> Asker<'_> {
        asker(&self.bank)
    }

    /// A request to dispatch an authentication by link, encrypted for a target.
    pub(crate) fn by_link(&self, target: Option<&str>) -> DispatchRequest {
        DispatchRequest {
            kind: OperationKind::Auth,
            dispatcher: Some("link".into()),
            target: target.map(Into::into),
            data: DispatchData::default(),
            notification: false,
            context: Some(JEFF.into()),
        }
    }

    /// A signed change of the target that was never sent before.
    pub(crate) fn patch(&self) -> Result<String, Failure> {
        let claims = json!({
            "name": "new name", "dispatchTargetId": self.target, "requestId": uuid::Uuid::new_v4(),
            "creationTimeInEpochMillis": SystemClock.now().0,
        });
        Ok(self.signing.sign(claims.to_string().as_bytes())?)
    }

    /// The request that brings it.
    pub(crate) fn exchange(&self, message: String) -> Result<Exchange, Failure> {
        let path = CanonicalPath::parse(&format!("/nevisfido/token/dispatch/targets/{}", self.target))?;
        let template = PathTemplate::parse("/nevisfido/token/dispatch/targets/{id}")?;
        Ok(Exchange {
            request_id: "r".into(),
            method: Method::PATCH,
            params: template.matches(&path).ok_or("no such path")?,
            path,
            query: None,
            headers: HeaderMap::new(),
            client: Client {
                address: ADDRESS,
                secure: true,
                internal: false,
                certificate: None,
                origin: "https://gate.example".into(),
            },
            body: Some(Bytes::from(message)),
            caller: Caller::Anonymous,
            proofs: Extensions::new(),
            upstream_headers: Vec::new(),
            answer_headers: Vec::new(),
            dead_cookie: None,
        })
    }
}

fn asker(caller: &Caller) -> Asker<'_> {
    Asker { caller, address: ADDRESS, anonymous_content: false }
}

fn new_target(signing: &MessageSigningKey, encryption: &DecryptionKey) -> NewTarget {
    NewTarget {
        username: Some("jeff".into()),
        name: "phone".into(),
        device_id: None,
        app_id: None,
        dispatcher: "link".into(),
        push_token: None,
        signature_key: signing.public_jwk(),
        encryption_key: encryption.public_jwk(),
    }
}
