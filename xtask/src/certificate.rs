//! The self-made certificate of `demo --https`: phones give their sensors only to a page that came over TLS.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a certificate is valid. Apple's systems refuse more than 825 days, whoever signed.
const VALID: Duration = DAY.saturating_mul(397);

/// A certificate older than this is made anew, well before it expires.
const RENEW: Duration = DAY.saturating_mul(300);

/// A certificate with its key, both in DER.
pub struct Certificate {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    /// The certificate kept in `folder` if it is for exactly these names and addresses, else a new one, kept there. The
    /// same one each time means that a phone has to be told only once that it may trust it.
    pub fn load_or_make(folder: &Path, names: &[String]) -> Result<Self> {
        let names_text = names.join("\n");
        if let Some(kept) = Self::load(folder, &names_text) {
            return Ok(kept);
        }
        let made = Self::make(names)?;
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(folder)?;
            // Last what `load` reads first: an interrupted run leaves nothing that looks whole.
            let _ = fs::remove_file(folder.join(NAMES));
            fs::write(folder.join(CERTIFICATE), &made.certificate)?;
            write_private(&folder.join(KEY), &made.key)?;
            fs::write(folder.join(NAMES), &names_text)
        };
        write().with_context(|| format!("could not keep the certificate in {}", folder.display()))?;
        Ok(made)
    }

    fn load(folder: &Path, names: &str) -> Option<Self> {
        let kept = fs::read_to_string(folder.join(NAMES)).ok()?;
        let written = fs::metadata(folder.join(NAMES)).ok()?.modified().ok()?;
        let fresh = SystemTime::now().duration_since(written).is_ok_and(|age| age < RENEW);
        let read = || {
            Some(Self {
                certificate: fs::read(folder.join(CERTIFICATE)).ok()?,
                key: fs::read(folder.join(KEY)).ok()?,
            })
        };
        if fresh && kept == names { read() } else { None }
    }

    fn make(names: &[String]) -> Result<Self> {
        let mut parameters = CertificateParams::new(names).context("not a host name")?;
        parameters.distinguished_name.push(DnType::CommonName, "sensorllm demo");
        parameters.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        let since_1970 =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock is before 1970")?;
        // A day back, for phones whose clock is behind.
        parameters.not_before = date_time_ymd(1970, 1, 1) + since_1970.saturating_sub(DAY);
        parameters.not_after = date_time_ymd(1970, 1, 1) + since_1970 + VALID;
        let key = KeyPair::generate().context("could not make a key")?;
        let certificate = parameters.self_signed(&key).context("could not make a certificate")?;
        Ok(Self { certificate: certificate.der().to_vec(), key: key.serialize_der() })
    }

    /// SHA-256 of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.certificate);
        digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// What the server needs to speak TLS with this certificate.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![CertificateDer::from(self.certificate.clone())];
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, PrivatePkcs8KeyDer::from(self.key.clone()).into())
            .context("the kept certificate cannot be used; delete target/demo-cert")?;
        Ok(Arc::new(config))
    }

    /// The certificate in DER, for tests that trust it.
    #[cfg(test)]
    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from(self.certificate.clone())
    }
}

const CERTIFICATE: &str = "certificate.der";
const KEY: &str = "key.der";
const NAMES: &str = "names.txt";

/// Writes a file that only its owner may read, where the system has such a thing.
fn write_private(file: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(file)?, content)
}

/// The IPv4 addresses of this machine under which others on its networks find it.
pub fn lan_addresses() -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|address| matches!(address, IpAddr::V4(v4) if !v4.is_loopback() && !v4.is_link_local()))
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_kept_until_the_addresses_change() {
        let folder = std::env::temp_dir().join(format!("xtask-certificate-{}", std::process::id()));
        let names = |last: &str| vec!["localhost".to_owned(), last.to_owned()];
        let first = Certificate::load_or_make(&folder, &names("192.0.2.1")).unwrap();
        let again = Certificate::load_or_make(&folder, &names("192.0.2.1")).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(first.fingerprint().len(), 32 * 3 - 1);
        let other = Certificate::load_or_make(&folder, &names("192.0.2.2")).unwrap();
        assert_ne!(first.fingerprint(), other.fingerprint());
        other.server_config().unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
}
