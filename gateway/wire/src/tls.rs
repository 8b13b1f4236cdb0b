//! The server's certificate: given, or made by the server itself and kept.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use pgwire::api::auth::sasl::scram::ScramServerAuth;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::error::WireError;

/// Names direct TLS connections (PostgreSQL 17's `sslnegotiation=direct`) must ask for.
const ALPN: &[u8] = b"postgresql";
const CERTIFICATE_FILE: &str = "server.crt";
const KEY_FILE: &str = "server.key";

/// A certificate with its key, ready to serve.
#[derive(Clone)]
pub struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// Knows the certificate's hash, for SCRAM-SHA-256-PLUS; `None` where its signature algorithm has no hash to bind to.
    pub(crate) channel_binding: Option<ScramServerAuth>,
    /// Fixed as long as the key is, and unknown outside.
    pub(crate) seed: [u8; 32],
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("channel_binding", &self.channel_binding.is_some()).finish_non_exhaustive()
    }
}

impl Tls {
    /// Loads a chain and its key, both PEM.
    ///
    /// # Errors
    /// Files that cannot be read, that hold no certificate or key, or that do not belong together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, WireError> {
        let read = |path: &Path| fs::read(path).map_err(|source| WireError::Read { path: path.into(), source });
        let certificate_pem = read(certificate)?;
        let key_pem = read(key)?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&certificate_pem)
            .collect::<Result<_, _>>()
            .map_err(|_| WireError::NoCertificate { path: certificate.into() })?;
        if chain.is_empty() {
            return Err(WireError::NoCertificate { path: certificate.into() });
        }
        let private_key =
            PrivateKeyDer::from_pem_slice(&key_pem).map_err(|_| WireError::NoPrivateKey { path: key.into() })?;
        let unusable =
            |source| WireError::UnusableCertificate { certificate: certificate.into(), key: key.into(), source };
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, private_key)
            .map_err(unusable)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        let mut scram = ScramServerAuth::new();
        let channel_binding = match scram.configure_certificate(&certificate_pem) {
            Ok(()) => Some(scram),
            Err(error) => {
                tracing::warn!(%error, "the certificate's signature algorithm has no channel binding");
                None
            }
        };
        let seed = Sha256::digest(&key_pem).into();
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), channel_binding, seed })
    }

    /// Loads the certificate that an earlier start left in `directory`, or makes one: self-signed for `localhost`, this
    /// machine's loopback addresses and `names`.
    ///
    /// # Errors
    /// A directory that cannot be written, or files there that are no certificate and key.
    pub fn self_signed(directory: &Path, names: &[String]) -> Result<Self, WireError> {
        let certificate = directory.join(CERTIFICATE_FILE);
        let key = directory.join(KEY_FILE);
        if !certificate.exists() || !key.exists() {
            make_self_signed(names, &certificate, &key)?;
        }
        Self::load(&certificate, &key)
    }
}

fn make_self_signed(names: &[String], certificate: &Path, key: &Path) -> Result<(), WireError> {
    let mut subjects = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    subjects.extend(names.iter().filter(|name| !subjects.contains(name)).cloned().collect::<Vec<_>>());
    let made = rcgen::generate_simple_self_signed(subjects).map_err(|source| WireError::SelfSigned { source })?;
    write_file(key, 0o600, made.signing_key.serialize_pem().as_bytes())
        .map_err(|source| WireError::Write { path: key.to_owned(), source })?;
    write_file(certificate, 0o644, made.cert.pem().as_bytes())
        .map_err(|source| WireError::Write { path: certificate.to_owned(), source })
}

/// Writes beside and renames, so that a crash leaves no half key.
fn write_file(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    // A file left by a crash may have other permissions.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = options.open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_self_signed_certificate_is_made_once_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let first = Tls::self_signed(directory.path(), &["lake.example".into()]).unwrap();
        let again = Tls::self_signed(directory.path(), &[]).unwrap();
        assert_eq!(first.seed, again.seed);
        assert!(first.channel_binding.is_some());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(directory.path().join(KEY_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_bad_certificate_stops_the_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        Tls::self_signed(directory.path(), &[]).unwrap();
        let other = tempfile::tempdir().unwrap();
        Tls::self_signed(other.path(), &[]).unwrap();
        fs::write(path("garbage"), "no pem").unwrap();
        let load = |certificate: &Path, key: &Path| Tls::load(certificate, key).unwrap_err();
        let (certificate, key) = (path(CERTIFICATE_FILE), path(KEY_FILE));
        assert!(matches!(load(&path("absent"), &key), WireError::Read { .. }));
        assert!(matches!(load(&path("garbage"), &key), WireError::NoCertificate { .. }));
        assert!(matches!(load(&certificate, &path("garbage")), WireError::NoPrivateKey { .. }));
        assert!(matches!(load(&certificate, &other.path().join(KEY_FILE)), WireError::UnusableCertificate { .. }));
    }
}
