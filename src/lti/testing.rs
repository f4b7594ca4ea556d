//! For the tests of this room: keys, a platform, id_tokens that break one thing, a small HTTP server.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, LazyLock, Mutex},
    thread,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};
use url::Url;

use super::{
    platform::{DeploymentPolicy, Platform},
    vocab::claim,
};
use crate::keys::{PrivateKey, SigningKey};
use crate::{
    entropy::SeededEntropy,
    ids::{PlatformId, TenantId},
    net::{FetchAllow, Fetcher},
    time::Timestamp,
};

/// The moment at which the tests play.
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_795_408_500_000);

fn private_key(seed: u8) -> PrivateKey {
    PrivateKey::generate(&SeededEntropy::new([seed; 32])).unwrap()
}

pub(crate) fn private_key_a() -> &'static PrivateKey {
    static KEY: LazyLock<PrivateKey> = LazyLock::new(|| private_key(1));
    &KEY
}

/// The platform's key, or ours, as a test needs it.
pub(crate) fn key_a() -> &'static SigningKey {
    static KEY: LazyLock<SigningKey> =
        LazyLock::new(|| SigningKey::parse(private_key_a(), "").unwrap());
    &KEY
}

/// Somebody else's key.
pub(crate) fn key_b() -> &'static SigningKey {
    static KEY: LazyLock<SigningKey> =
        LazyLock::new(|| SigningKey::parse(&private_key(2), "").unwrap());
    &KEY
}

pub(crate) fn decoding(key: &SigningKey) -> DecodingKey {
    DecodingKey::from_rsa_components(&key.public().n, &key.public().e).unwrap()
}

pub(crate) fn platform() -> Platform {
    let url = |path: &str| Url::parse(&format!("https://p.example/{path}")).unwrap();
    let e = SeededEntropy::new([9; 32]);
    Platform {
        id: PlatformId::new(NOW, &e),
        tenant_id: TenantId::new(NOW, &e),
        key: "p".into(),
        issuer: "https://p.example".into(),
        client_id: "us".into(),
        auth_url: url("auth"),
        token_url: url("token"),
        token_aud: None,
        jwks_url: url("jwks"),
        deployments: DeploymentPolicy::Open,
        service_origins: Vec::new(),
        name: "P".into(),
    }
}

/// A platform whose services are on `server`.
pub(crate) fn platform_on(server: &Server) -> Platform {
    Platform {
        jwks_url: server.url("/jwks"),
        token_url: server.url("/token"),
        ..platform()
    }
}

/// A good id_token of a learner, to be broken in one place.
pub(crate) struct IdToken {
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

impl IdToken {
    pub(crate) fn good() -> Self {
        let now = NOW.as_secs();
        Self {
            header: json!({ "alg": "RS256", "typ": "JWT", "kid": key_a().kid() }),
            claims: json!({
                "iss": "https://p.example", "aud": "us", "sub": "17", "nonce": "nonce-1",
                "iat": now, "exp": now + 60,
                "name": "Ana Lee", "given_name": "Ana", "family_name": "Lee", "email": "ana@x.example",
                claim::MESSAGE_TYPE: "LtiResourceLinkRequest",
                claim::VERSION: "1.3.0",
                claim::DEPLOYMENT_ID: "3",
                claim::TARGET_LINK_URI: "https://t.example/learn?quiz=1",
                claim::RESOURCE_LINK: { "id": "21", "title": "Secure coding", "description": "" },
                claim::CONTEXT: { "id": "5", "label": "SEC", "title": "Security", "type": ["CourseSection"] },
                claim::ROLES: ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
                claim::CUSTOM: { "course": "c-77", "hist": "$ResourceLink.id.history", "n": 4, "none": null },
                claim::LAUNCH_PRESENTATION: { "locale": "en", "document_target": "iframe",
                    "return_url": "https://p.example/return.php?course=5" },
                claim::AGS_ENDPOINT: { "scope": ["s"], "lineitems": "https://p.example/li?type_id=3",
                    "lineitem": "https://p.example/li/9/lineitem?type_id=3" },
                claim::NRPS: { "context_memberships_url": "https://p.example/members", "service_versions": ["2.0"] },
                "https://unheard.example/claim": { "x": [1, null] },
            }),
        }
    }

    /// Sets a claim.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        self
    }

    /// Takes claims away.
    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        for name in names {
            self.claims.as_object_mut().unwrap().remove(*name);
        }
        self
    }

    /// Sets a header member; null takes it away.
    pub(crate) fn header(mut self, name: &str, value: Value) -> Self {
        match value {
            Value::Null => drop(self.header.as_object_mut().unwrap().remove(name)),
            value => self.header[name] = value,
        }
        self
    }

    pub(crate) fn sign(&self) -> String {
        self.sign_with(key_a())
    }

    pub(crate) fn sign_with(&self, key: &SigningKey) -> String {
        let message = self.message();
        format!(
            "{message}.{}",
            B64.encode(key.sign(message.as_bytes()).unwrap())
        )
    }

    /// Header and payload, without a signature.
    pub(crate) fn message(&self) -> String {
        let part = |v: &Value| B64.encode(v.to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}

/// What the server was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, v)| v.as_str())
    }
}

/// What it answers: status line (such as `200 OK`), header lines, body.
pub(crate) type Answer = (&'static str, &'static str, String);

/// A plain HTTP/1.1 server on a random port of 127.0.0.1; one request for each connection.
pub(crate) struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers each request, numbered from 0, by `answer`.
    pub(crate) fn start(answer: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (asked.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, answer) = (log.clone(), answer.clone());
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let asked = read_request(&mut reader);
                    let n = {
                        let mut log = log.lock().unwrap();
                        log.push(asked.clone());
                        log.len() - 1
                    };
                    let (status, headers, body) = answer(n, &asked);
                    let head = format!(
                        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
                        body.len()
                    );
                    let mut stream = stream;
                    let _ = stream.write_all(head.as_bytes());
                    let _ = stream.write_all(body.as_bytes());
                });
            }
        });
        Self { port, asked }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_request(reader: &mut impl BufRead) -> Asked {
    let mut asked = Asked::default();
    let _ = reader.read_line(&mut asked.line);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.trim_end().split_once(':') {
            let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
            if name == "content-length" {
                length = value.parse().unwrap_or(0);
            }
            asked.headers.push((name, value));
        }
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    asked.body = String::from_utf8_lossy(&body).into_owned();
    asked
}

/// A client that may talk to [`Server`].
pub(crate) fn fetcher() -> Fetcher {
    Fetcher::new("127.0.0.1,localhost".parse::<FetchAllow>().unwrap()).unwrap()
}
