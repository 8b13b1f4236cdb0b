//! Who the client is: SCRAM-SHA-256, with channel binding over TLS, or trust on this machine.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mantissa_core::{ErrorKind, Identity, Problem};
use mantissa_query::Gateway;
use pgwire::api::auth::sasl::scram::{ScramSecret, ScramServerAuth};
use pgwire::api::auth::sasl::{SCRAM_SHA_256_METHOD, SCRAM_SHA_256_PLUS_METHOD};
use pgwire::error::PgWireError;
use pgwire::messages::startup::Authentication;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::backend;
use crate::error::Stop;
use crate::frontend::{Body, Message, SMALL_MESSAGE};
use crate::transport::Transport;

const MOCK_ITERATIONS: usize = 4096;
const MOCK_SALT_BYTES: usize = 16;

/// What a login needs beside the connection.
pub(crate) struct Authenticator<'a> {
    pub gateway: &'a Gateway,
    /// The user who needs no password here; only set for clients on this machine.
    pub trusted: Option<&'a str>,
    /// Knows the certificate; only set where the connection is encrypted with it.
    pub channel_binding: Option<&'a ScramServerAuth>,
    /// Makes the salts of users that do not exist.
    pub seed: &'a [u8; 32],
}

impl Authenticator<'_> {
    /// Runs the exchange, up to and with AuthenticationOk.
    ///
    /// # Errors
    /// `InvalidPassword` alike for a wrong password, an unknown user and a locked one; `ProtocolViolation`.
    pub async fn authenticate(&self, user: &str, transport: &mut Transport) -> Result<Identity, Stop> {
        let trusted = if self.trusted == Some(user) { self.gateway.identity(user).await? } else { None };
        let identity = match trusted {
            Some(identity) => identity,
            None => self.scram(user, transport).await?,
        };
        backend::authentication(&Authentication::Ok, &mut transport.output);
        Ok(identity)
    }

    async fn scram(&self, user: &str, transport: &mut Transport) -> Result<Identity, Stop> {
        let account = self.gateway.authentication(user).await?;
        if account.as_ref().is_some_and(|account| account.locked) {
            tracing::warn!(user, "login refused: locked after too many wrong passwords");
        }
        // A locked account runs the same exchange as one that does not exist, and tells as little.
        let account = account.filter(|account| !account.locked);
        let secret = account.as_ref().and_then(|account| read_verifier(&account.verifier));
        let identity = account.filter(|_| secret.is_some()).map(|account| account.identity);
        let outcome = self.exchange(secret.unwrap_or_else(|| self.mock(user)), transport).await;
        match (outcome, identity) {
            (Ok(last), Some(identity)) => {
                self.gateway.login_succeeded(user).await;
                backend::authentication(&Authentication::SASLFinal(last), &mut transport.output);
                Ok(identity)
            }
            (Err(Refusal::Stop(stop)), _) => Err(stop),
            _ => {
                self.gateway.login_failed(user).await;
                let message = format!("password authentication failed for user \"{user}\"");
                Err(Stop::fatal(ErrorKind::InvalidPassword, message))
            }
        }
    }

    /// The three messages of SCRAM; gives the server's last one.
    async fn exchange(&self, secret: ScramSecret, transport: &mut Transport) -> Result<Bytes, Refusal> {
        let mut mechanisms = vec![SCRAM_SHA_256_METHOD.to_owned()];
        if self.channel_binding.is_some() {
            mechanisms.insert(0, SCRAM_SHA_256_PLUS_METHOD.to_owned());
        }
        send(Authentication::SASL(mechanisms), transport).await?;
        let (mechanism, first) = Body { bytes: receive(transport).await? }.sasl_initial()?;
        let first = match first {
            Some(first) => first,
            None => {
                send(Authentication::SASLContinue(Bytes::new()), transport).await?;
                receive(transport).await?
            }
        };
        let binds = first.starts_with(b"p=");
        let chosen = match (mechanism.as_str(), self.channel_binding) {
            // The plain mechanism also goes through the one that knows the certificate: it refuses a client that was
            // made to believe that the server has none.
            (SCRAM_SHA_256_METHOD, binding) if !binds => binding.cloned().unwrap_or_default(),
            (SCRAM_SHA_256_PLUS_METHOD, Some(binding)) if binds => binding.clone(),
            (SCRAM_SHA_256_METHOD | SCRAM_SHA_256_PLUS_METHOD, _) => {
                return Err(malformed("malformed SCRAM message").into());
            }
            _ => return Err(malformed("client selected an invalid SASL authentication mechanism").into()),
        };
        let (server_first, waiting) = chosen.on_client_first_message_with_secret(&first, secret)?;
        send(Authentication::SASLContinue(server_first.into()), transport).await?;
        let last = receive(transport).await?;
        Ok(waiting.on_client_final_message(&last)?.into())
    }

    /// A verifier that no password fits, with a salt that is always the same for the same name.
    fn mock(&self, user: &str) -> ScramSecret {
        let digest = Sha256::new().chain_update(self.seed).chain_update(user.as_bytes()).finalize();
        ScramSecret::Verifier {
            salt: digest[..MOCK_SALT_BYTES].to_vec(),
            iterations: MOCK_ITERATIONS,
            stored_key: rand::random::<[u8; 32]>().to_vec(),
            server_key: rand::random::<[u8; 32]>().to_vec(),
        }
    }
}

enum Refusal {
    WrongProof,
    Stop(Stop),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        Refusal::Stop(stop)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal::Stop(problem.into())
    }
}

impl From<PgWireError> for Refusal {
    fn from(error: PgWireError) -> Self {
        let text = error.to_string();
        match error {
            PgWireError::InvalidPassword(_) => Refusal::WrongProof,
            _ if text.contains("hannel binding") => {
                Problem::new(ErrorKind::InvalidAuthorization, "SCRAM channel binding check failed")
                    .caused_by(error)
                    .into()
            }
            _ => malformed("malformed SCRAM message").caused_by(error).into(),
        }
    }
}

fn malformed(message: &str) -> Problem {
    Problem::new(ErrorKind::ProtocolViolation, message)
}

async fn send(step: Authentication, transport: &mut Transport) -> Result<(), Stop> {
    backend::authentication(&step, &mut transport.output);
    // The authentication timeout is all that ends a login early.
    transport.flush(&CancellationToken::new()).await
}

async fn receive(transport: &mut Transport) -> Result<Bytes, Stop> {
    // libpq hangs up here to ask for a password: an end between messages is no fault.
    let frame = transport.frame(SMALL_MESSAGE).await?;
    let kind = frame.kind;
    match frame.decode()? {
        Message::Password(body) => Ok(body),
        Message::Terminate => Err(Stop::Goodbye),
        _ => {
            let message = format!("expected SASL response, got message type {kind}");
            Err(Stop::fatal(ErrorKind::ProtocolViolation, message))
        }
    }
}

/// Reads `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.
fn read_verifier(text: &str) -> Option<ScramSecret> {
    let (iterations, rest) = text.strip_prefix("SCRAM-SHA-256$")?.split_once(':')?;
    let (salt, keys) = rest.split_once('$')?;
    let (stored_key, server_key) = keys.split_once(':')?;
    let key = |text: &str| STANDARD.decode(text).ok().filter(|key| key.len() == 32);
    Some(ScramSecret::Verifier {
        salt: STANDARD.decode(salt).ok()?,
        iterations: iterations.parse().ok()?,
        stored_key: key(stored_key)?,
        server_key: key(server_key)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_verifiers_are_read() {
        let good = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
            wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        assert!(matches!(read_verifier(good), Some(ScramSecret::Verifier { iterations: 4096, .. })));
        for bad in ["", "md5abc", &good[..good.len() - 4], &good.replace("4096", "x"), &good.replace("256$", "512$")] {
            assert!(read_verifier(bad).is_none(), "{bad}");
        }
    }
}
