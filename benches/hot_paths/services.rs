//! The services as a gateway composes them.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sidegate::dispatchers::{BaseUrl, Dispatcher, Dispatchers, LinkDispatcher, Recipients, RedeemUrls};
use sidegate::fido::{AnswerAt, Embedded, EmbeddedSettings, Fido, Policies};
use sidegate::identity::{DomainSessions, Realm, sessions};
use sidegate::jose::MacKey;
use sidegate::oob::bypass::StoredTargetKeys;
use sidegate::oob::{Acting, Asker, Redeem, Requests, Targets, TokenKey, TokenSettings, Tokens};
use sidegate::store::memory::{Budget, MemoryOperations, MemorySessions};
use sidegate::store::operation::{Limits, OperationKind};
use sidegate::store::users::{PasswordHash, UsersFile};
use sidegate::store::{self, DataFolder, Operations, Users};
use sidegate_filters::clock::{Clock, SystemClock};
use sidegate_filters::jws_bypass::{JwsBypassFilter, ModifyLimit, Settings};
use sidegate_filters::memory::MemoryReplayGuard;
use sidegate_filters::{SessionDomain, UsernameMapper};
use sidegate_uaf::authenticator::Authenticator;
use sidegate_uaf::encoding::Text;
use sidegate_uaf::facets::{SOFTWARE_FACET, TrustedFacets};
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::server_data::ServerDataKey;
use sidegate_uaf::wire::RegistrationRequest;
use sidegate_uaf::{Algorithm, Folding, RelyingParty};

use super::Failure;

/// More than the operations and replays of a run take.
const ROOM: usize = 4 << 30;
const REPLAYS: usize = 5_000_000;

/// What the services share.
pub(crate) struct Shared {
    clock: Arc<dyn Clock>,
    users: Arc<dyn Users>,
    durable: Arc<store::Embedded>,
    operations: Arc<dyn Operations>,
    fido: Arc<dyn Fido>,
    acting: Acting,
    dispatchers: Dispatchers,
    key: TokenKey,
}

impl Shared {
    pub(crate) fn build(folder: &DataFolder) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let users: Arc<dyn Users> = Arc::new(UsersFile::open(folder.file("users"))?);
        let durable = Arc::new(store::Embedded::open(&folder.file("db"), clock.clone())?);
        let operations: Arc<dyn Operations> = Arc::new(MemoryOperations::new(Budget::new(ROOM, 100), clock.clone()));
        let fido: Arc<dyn Fido> = Arc::new(Embedded {
            relying_party: relying_party()?,
            policies: Policies::built_in(),
            operations: operations.clone(),
            credentials: durable.clone(),
            users: users.clone(),
            clock: clock.clone(),
            channels: Vec::new(),
            settings: EmbeddedSettings { answer: Limits::default().answer, folding: Folding::Specific },
        });
        let urls = RedeemUrls::below("https://gate.example");
        let link: Arc<dyn Dispatcher> = Arc::new(LinkDispatcher::new(BaseUrl::parse("https://siven.ch")?, urls));
        Ok(Self {
            acting: Acting::new(users.clone(), UsernameMapper::Name, SessionDomain::parse("main")?),
            dispatchers: Dispatchers::new([link]),
            key: TokenKey::new(MacKey::new(&folder.secret("operation-id")?)?),
            clock,
            users,
            durable,
            operations,
            fido,
        })
    }

    /// Registers a UAF key of the user.
    pub(crate) async fn register(&self, asker: &Asker<'_>) -> Result<(), Failure> {
        let limits = Limits::default();
        let (operations, acting) = (self.operations.clone(), self.acting.clone());
        let requests = Requests { operations, acting, fido: self.fido.clone(), clock: self.clock.clone(), limits };
        let request = requests.request(asker, OperationKind::Reg, Some(super::house::JEFF)).await?;
        let request = RegistrationRequest::from_message(&request.message)?;
        let (response, _) = Authenticator::new("D0D0#0001".parse()?).register(&request, &[])?;
        self.fido.answer(AnswerAt::Registration, &response.to_message(), None).await?;
        Ok(())
    }

    pub(crate) fn targets(&self) -> Targets {
        Targets {
            targets: self.durable.clone(),
            users: self.users.clone(),
            acting: self.acting.clone(),
            dispatchers: self.dispatchers.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn tokens(&self) -> Tokens {
        Tokens {
            operations: self.operations.clone(),
            targets: self.durable.clone(),
            acting: self.acting.clone(),
            dispatchers: self.dispatchers.clone(),
            recipients: Recipients::default(),
            fido: self.fido.clone(),
            key: self.key.clone(),
            clock: self.clock.clone(),
            settings: TokenSettings { limits: Limits::default(), status_response: false },
        }
    }

    pub(crate) fn redeem(&self) -> Redeem {
        Redeem {
            operations: self.operations.clone(),
            users: self.users.clone(),
            fido: self.fido.clone(),
            key: self.key.clone(),
            clock: self.clock.clone(),
        }
    }

    /// With the keys of the durable store, and used requests in memory: a file system would be measured else.
    pub(crate) fn bypass(&self) -> JwsBypassFilter {
        let limit = ModifyLimit { burst: NonZeroU32::MAX, every: Duration::from_millis(1) };
        let keys = Arc::new(StoredTargetKeys::new(self.durable.clone()));
        let replays = Arc::new(MemoryReplayGuard::new(REPLAYS, self.clock.clone()));
        JwsBypassFilter::new(keys, replays, self.clock.clone(), Settings { limit, ..Settings::default() })
    }

    pub(crate) fn sessions(&self) -> Result<DomainSessions, Failure> {
        let (idle, absolute) = (Duration::from_secs(1800), Duration::from_secs(8 * 3600));
        let settings = sessions::Settings { domain: SessionDomain::parse("main")?, idle, absolute };
        let store = Arc::new(MemorySessions::new(Budget::new(ROOM, 100), self.clock.clone()));
        Ok(DomainSessions::new(settings, store, self.users.clone(), self.clock.clone()))
    }

    /// Makes the user; gives back the value of the session's cookie.
    pub(crate) async fn login(&self, sessions: &DomainSessions) -> Result<String, Failure> {
        let jeff = self.users.add("jeff", PasswordHash::of(b"a password of jeff")?).await?;
        let realm = Realm { name: "fido-uaf".into(), level: 2, renew: true };
        let done = sessions.login(sessions.attempt(&jeff).await?, &realm, None, true).await?;
        let field = done.set_cookie.ok_or("no cookie")?;
        let pair = field.to_str()?.split(';').next().unwrap_or_default();
        Ok(pair.split_once('=').ok_or("no value")?.1.to_owned())
    }
}

fn relying_party() -> Result<RelyingParty, Failure> {
    Ok(RelyingParty::new(
        Some(Text::new("https://gate.example/nevisfido/uaf/1.1/facets")?),
        TrustedFacets::new([Text::new(SOFTWARE_FACET)?]),
        Models::new(UnknownModels::Surrogate(BTreeSet::from_iter(Algorithm::ALL.iter().copied()))),
        ServerDataKey::new(&[7; 32])?,
    ))
}
