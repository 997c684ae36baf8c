//! What an authentication costs the server beyond the one thing it cannot do without, the check of a P-256 signature by
//! OpenSSL. The ratio of the two is taken in one run, turn by turn, so that a busy machine slows both: `make bench`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::{Duration, Instant};

use criterion::Criterion;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Public};
use openssl::sign::{Signer, Verifier};
use sidegate_uaf::authentication::{AuthenticationOutcome, AuthenticationState, Claimant, NewAuthentication};
use sidegate_uaf::authenticator::{Authenticator, DeviceKey};
use sidegate_uaf::encoding::Text;
use sidegate_uaf::facets::{SOFTWARE_FACET, TrustedFacets};
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::registration::{NewRegistration, RegistrationOutcome};
use sidegate_uaf::server_data::ServerDataKey;
use sidegate_uaf::wire::{AuthenticationRequest, Challenge, Operation, Policy, RegistrationRequest};
use sidegate_uaf::{Algorithm, Arrival, Credential, Incoming, Opened, RelyingParty, Start};

type Failure = Box<dyn std::error::Error>;

/// Turns of the comparison, and how often each side runs in a turn.
const TURNS: usize = 21;
const RUNS: u32 = 50;
const ARRIVAL: Arrival<'static> = Arrival { now: 1_000, channels: &[] };

fn main() -> Result<(), Failure> {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let (answer, bare) = (Answer::build()?, Bare::build()?);
    if !answer.finish() || answer.parse().is_none() || !bare.verify() {
        return Err("what is to be measured does not work".into());
    }
    criterion.bench_function("openssl: verify P-256", |bencher| bencher.iter(|| bare.verify()));
    criterion.bench_function("authentication: parse and open", |bencher| bencher.iter(|| answer.parse()));
    criterion.bench_function("authentication: finish, P-256", |bencher| bencher.iter(|| answer.finish()));
    criterion.bench_function("authentication: parse, open and finish", |bencher| {
        bencher.iter(|| answer.parse().is_some_and(|opened| answer.finish_with(&opened)));
    });
    criterion.final_summary();
    let ratio = ratio(|| answer.finish(), || bare.verify());
    writeln!(std::io::stdout(), "finish of an authentication / bare signature check: {ratio:.2}")?;
    Ok(())
}

/// The median of one side's time over the other's.
fn ratio(one: impl Fn() -> bool, other: impl Fn() -> bool) -> f64 {
    let time = |run: &dyn Fn() -> bool| {
        let begun = Instant::now();
        for _ in 0..RUNS {
            std::hint::black_box(run());
        }
        begun.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..TURNS).map(|_| time(&one) / time(&other)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(TURNS / 2).copied().unwrap_or(f64::NAN)
}

/// A signature and nothing else, its key ready.
struct Bare {
    key: PKey<Public>,
    signature: Vec<u8>,
}

impl Bare {
    /// As long as what an authenticator signs.
    const SIGNED: [u8; 160] = [7; 160];

    fn build() -> Result<Self, Failure> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let private = EcKey::generate(&group)?;
        let public = PKey::from_ec_key(EcKey::from_public_key(&group, private.public_key())?)?;
        let private = PKey::from_ec_key(private)?;
        let signature = Signer::new(MessageDigest::sha256(), &private)?.sign_oneshot_to_vec(&Self::SIGNED)?;
        Ok(Self { key: public, signature })
    }

    fn verify(&self) -> bool {
        let verifier = Verifier::new(MessageDigest::sha256(), &self.key);
        verifier.and_then(|mut verifier| verifier.verify_oneshot(&self.signature, &Self::SIGNED)).unwrap_or(false)
    }
}

/// A phone's answer, and all that the server needs to judge it.
struct Answer {
    server: RelyingParty,
    state: AuthenticationState,
    credentials: Vec<Credential>,
    message: String,
    opened: Opened,
}

impl Answer {
    fn build() -> Result<Self, Failure> {
        let server = server()?;
        let phone = Authenticator::new("D0D0#0001".parse()?);
        let (key, credentials) = register(&server, &phone)?;
        let claimant = Claimant::Named { user: "jeff".into(), exists: true };
        let (start, policy) = (start("operation-a")?, Policy::any_of(Algorithm::ALL));
        let new = NewAuthentication { start, claimant, policy, transaction: Vec::new() };
        let (request, state) = server.start_authentication(new)?;
        let request = AuthenticationRequest::from_message(&request.to_message())?;
        let message = phone.authenticate(&request, &mut [key], &[9; 16])?.to_message();
        let opened = Incoming::parse(Operation::Auth, &message, None)?.open(server.server_data_key())?;
        Ok(Self { server, state, credentials, message, opened })
    }

    fn parse(&self) -> Option<Opened> {
        Incoming::parse(Operation::Auth, &self.message, None).ok()?.open(self.server.server_data_key()).ok()
    }

    fn finish(&self) -> bool {
        self.finish_with(&self.opened)
    }

    fn finish_with(&self, opened: &Opened) -> bool {
        let outcome = self.server.finish_authentication(&self.state, opened, &self.credentials, &ARRIVAL);
        matches!(outcome, Ok(AuthenticationOutcome::Authenticated { .. }))
    }
}

fn register(server: &RelyingParty, phone: &Authenticator) -> Result<(DeviceKey, Vec<Credential>), Failure> {
    let (start, policy) = (start("operation-r")?, Policy::any_of(Algorithm::ALL));
    let new = NewRegistration { start, user: "jeff", username: "jeff@example", policy, registered: &[] };
    let (request, state) = server.start_registration(new)?;
    let request = RegistrationRequest::from_message(&request.to_message())?;
    let (response, key) = phone.register(&request, &[])?;
    let opened = Incoming::parse(Operation::Reg, &response.to_message(), None)?.open(server.server_data_key())?;
    match server.finish_registration(&state, &opened, &[], &ARRIVAL)? {
        RegistrationOutcome::Registered { credentials, .. } => Ok((key, credentials)),
        RegistrationOutcome::Denied(_) => Err("the phone denied its registration".into()),
    }
}

fn server() -> Result<RelyingParty, Failure> {
    let every = BTreeSet::from_iter(Algorithm::ALL.iter().copied());
    Ok(RelyingParty::new(
        Some(Text::new("https://uaf.example/facets")?),
        TrustedFacets::new([Text::new(SOFTWARE_FACET)?]),
        Models::new(UnknownModels::Surrogate(every)),
        ServerDataKey::new(&[7; 32])?,
    ))
}

fn start(operation_id: &str) -> Result<Start<'_>, Failure> {
    Ok(Start { operation_id, purpose: "test", challenge: Challenge::new([1; 32])?, expires_at: 120_000 })
}
