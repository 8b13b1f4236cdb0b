//! SCRAM-SHA-256 verifiers (RFC 5802, RFC 7677) in the text form of Postgres's `pg_authid.rolpassword`.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::{Result, StoreError};

/// Postgres's own default, `scram_iterations`.
pub const SCRAM_ITERATIONS: u32 = 4096;
const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
/// Above this a verifier from outside would be a way to stall the server.
const MAX_ITERATIONS: u32 = 10_000_000;
const MECHANISM: &str = "SCRAM-SHA-256";

/// What a server keeps instead of a password. A password cannot be computed from it other than by guessing.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramVerifier {
    pub iterations: u32,
    pub salt: Vec<u8>,
    pub stored_key: [u8; KEY_BYTES],
    pub server_key: [u8; KEY_BYTES],
}

impl ScramVerifier {
    /// Makes a verifier with a fresh random salt.
    pub fn new(password: &str) -> Self {
        Self::derive(password, &rand::random::<[u8; SALT_BYTES]>(), SCRAM_ITERATIONS)
    }

    pub fn derive(password: &str, salt: &[u8], iterations: u32) -> Self {
        let salted = salted_password(password, salt, iterations);
        let client_key = hmac_sha256(&salted, b"Client Key");
        Self {
            iterations,
            salt: salt.to_vec(),
            stored_key: Sha256::digest(client_key).into(),
            server_key: hmac_sha256(&salted, b"Server Key"),
        }
    }

    /// A verifier that no password fits, with a salt that is always the same for the same name: an unknown user's login
    /// then runs, and fails, exactly like a known one's.
    pub fn mock(user: &str, secret: &[u8]) -> Self {
        let salt = hmac_sha256(secret, user.as_bytes());
        Self {
            iterations: SCRAM_ITERATIONS,
            salt: salt[..SALT_BYTES].to_vec(),
            stored_key: rand::random(),
            server_key: rand::random(),
        }
    }

    /// Checks a password that came in the clear.
    pub fn accepts(&self, password: &str) -> bool {
        let candidate = Self::derive(password, &self.salt, self.iterations);
        let differing =
            candidate.stored_key.iter().zip(&self.stored_key).fold(0, |acc, (left, right)| acc | (left ^ right));
        differing == 0
    }

    /// Checks the client's proof (RFC 5802, section 3) that it knows the password. `auth_message` is RFC 5802's.
    pub fn accepts_proof(&self, auth_message: &[u8], proof: &[u8]) -> bool {
        if proof.len() != KEY_BYTES {
            return false;
        }
        let signature = hmac_sha256(&self.stored_key, auth_message);
        let client_key: Vec<u8> = proof.iter().zip(signature).map(|(left, right)| left ^ right).collect();
        let stored_key: [u8; KEY_BYTES] = Sha256::digest(&client_key).into();
        stored_key.iter().zip(&self.stored_key).fold(0, |acc, (left, right)| acc | (left ^ right)) == 0
    }

    /// The `v=` value of the server's last message, by which the client knows the server.
    pub fn server_signature(&self, auth_message: &[u8]) -> [u8; KEY_BYTES] {
        hmac_sha256(&self.server_key, auth_message)
    }
}

fn salted_password(password: &str, salt: &[u8], iterations: u32) -> [u8; KEY_BYTES] {
    // Postgres and libpq fall back to the bytes as they are where SASLprep rejects a password.
    let prepared = stringprep::saslprep(password).unwrap_or(password.into());
    let mut salted = [0; KEY_BYTES];
    // HMAC takes a key of any length, so there is no failing case.
    let _ = pbkdf2::pbkdf2::<Hmac<Sha256>>(prepared.as_bytes(), salt, iterations, &mut salted);
    salted
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; KEY_BYTES] {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..KEY_BYTES].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

impl fmt::Display for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, stored, server] = [&self.salt[..], &self.stored_key, &self.server_key].map(|b| STANDARD.encode(b));
        write!(f, "{MECHANISM}${}:{salt}${stored}:{server}", self.iterations)
    }
}

impl fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramVerifier").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl FromStr for ScramVerifier {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or(StoreError::MalformedVerifier)
    }
}

fn parse(text: &str) -> Option<ScramVerifier> {
    let (mechanism, rest) = text.split_once('$')?;
    let (parameters, keys) = rest.split_once('$')?;
    let (iterations, salt) = parameters.split_once(':')?;
    let (stored, server) = keys.split_once(':')?;
    let iterations = iterations.parse().ok().filter(|count| (1..=MAX_ITERATIONS).contains(count))?;
    let salt = STANDARD.decode(salt).ok().filter(|salt| !salt.is_empty())?;
    let stored_key = STANDARD.decode(stored).ok()?.try_into().ok()?;
    let server_key = STANDARD.decode(server).ok()?.try_into().ok()?;
    (mechanism == MECHANISM).then_some(ScramVerifier { iterations, salt, stored_key, server_key })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc_7677() -> ScramVerifier {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        ScramVerifier::derive("pencil", &salt, 4096)
    }

    const AUTH_MESSAGE: &[u8] = b"n=user,r=rOprNGfwEbeRWgbNEkqO,\
        r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
        c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    #[test]
    fn the_exchange_of_rfc_7677_is_accepted() {
        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        assert!(rfc_7677().accepts_proof(AUTH_MESSAGE, &proof));
        assert!(!rfc_7677().accepts_proof(b"another exchange", &proof));
        assert!(!rfc_7677().accepts_proof(AUTH_MESSAGE, &proof[1..]));
        let signature = STANDARD.encode(rfc_7677().server_signature(AUTH_MESSAGE));
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn the_text_form_is_that_of_postgres() {
        let text = rfc_7677().to_string();
        assert!(text.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"), "{text}");
        assert_eq!(text.parse::<ScramVerifier>().unwrap(), rfc_7677());
        let debug = format!("{:?}", rfc_7677());
        assert!(!debug.contains("key"), "{debug}");
    }

    #[test]
    fn malformed_text_is_refused() {
        let good = rfc_7677().to_string();
        let bad = [
            "",
            "md5abc",
            "SCRAM-SHA-256$4096",
            &good.replace("4096", "0"),
            &good.replace("4096", "4294967295"),
            &good.replace("SHA-256", "SHA-512"),
            &good[..good.len() - 3],
        ];
        for text in bad {
            assert!(text.parse::<ScramVerifier>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_is_prepared_before_it_is_hashed() {
        // RFC 4013: U+00AD maps to nothing, U+2168 to "IX".
        let verifier = ScramVerifier::derive("IX", b"salt", 1);
        assert!(verifier.accepts("I\u{ad}X"));
        assert!(verifier.accepts("\u{2168}"));
        assert!(!verifier.accepts("ix"));
        // U+0007 is prohibited: the bytes stand as they are.
        assert!(ScramVerifier::derive("a\u{7}", b"salt", 1).accepts("a\u{7}"));
    }

    #[test]
    fn a_mock_keeps_its_salt_and_fits_nothing() {
        let mock = ScramVerifier::mock("nobody", b"secret");
        assert_eq!(mock.salt, ScramVerifier::mock("nobody", b"secret").salt);
        assert_ne!(mock.salt, ScramVerifier::mock("nobody2", b"secret").salt);
        assert!(!mock.accepts(""));
    }
}
