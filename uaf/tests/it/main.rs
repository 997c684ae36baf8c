//! The UAF server against its software authenticator: right messages, messages that are wrong in one respect and signed
//! correctly, and vectors of other people's authenticators.

#[cfg(test)]
mod assertion_faults;
#[cfg(test)]
mod attestation_faults;
#[cfg(test)]
mod attestation_types;
#[cfg(test)]
mod authentication_faults;
#[cfg(test)]
mod ceremonies;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod deregistration_faults;
#[cfg(test)]
mod key_faults;
#[cfg(test)]
mod message_faults;
#[cfg(test)]
mod misbehaviours;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod registration_faults;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod signature_faults;
#[cfg(test)]
mod support;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod versions;
