//! The server of the tests over TLS, for what goes no other way: the tokens of identities.

use super::bucket_server::BucketServer;
use super::servers::make_certificates;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

/// Serves until the process ends, and says where; the CA is `ca.pem` in the directory.
pub(crate) fn serve(server: &BucketServer, directory: &Path) -> String {
    make_certificates(directory);
    let chain = CertificateDer::pem_file_iter(directory.join("server.pem"));
    let chain = chain.expect("was made").map(|one| one.expect("is sound"));
    let key = PrivateKeyDer::from_pem_file(directory.join("server.key")).expect("was made");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("there are some")
        .with_no_client_auth()
        .with_single_cert(chain.collect(), key)
        .expect("they belong together");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    let server = server.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("is configured");
            let server = server.clone();
            std::thread::spawn(move || server.serve(StreamOwned::new(connection, stream)));
        }
    });
    format!("https://{address}")
}
