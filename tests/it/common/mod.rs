//! What tests share: a running service on a database of its own, a platform that launches into it, a browser's worth
//! of cookies.

pub mod browser;
pub mod db;
pub mod platform;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use passmuster::app::App;
use passmuster::config::{SecretKey, Settings};
use passmuster::entropy::{OsEntropy, SeededEntropy};
use passmuster::ids::TenantId;
use passmuster::jobs::passback;
use passmuster::keyring::seal_key;
use passmuster::keys::PrivateKey;
use passmuster::lti::platform::{DeploymentPolicy, Platform};
use passmuster::storage::{ApiToken, Db, KeyPurpose, Tenant};
use passmuster::time::{FixedClock, Timestamp};
use passmuster::web;
use tokio::net::TcpListener;

pub use browser::Browser;
use db::TestDb;
pub use platform::TestPlatform;

/// When tests begin, on the service's clock.
pub const START: &str = "2026-06-01T09:00:00Z";

const SECRET: &str = "a secret key for tests, 32 characters and more";

/// A running service with one tenant and one platform.
pub struct TestApp {
    /// The service itself.
    pub app: Arc<App>,
    /// Its clock.
    pub clock: Arc<FixedClock>,
    /// Its tenant.
    pub tenant: Tenant,
    /// The platform that is connected.
    pub platform: TestPlatform,
    settings: Settings,
    _db: TestDb,
}

impl TestApp {
    /// One service on each kind of database.
    pub async fn on_both() -> Vec<Self> {
        let mut all = Vec::new();
        for db in db::both().await {
            all.push(Self::on(db).await);
        }
        all
    }

    /// A service on this database.
    pub async fn on(db: TestDb) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings {
            database_url: db.url.clone(),
            listen: address,
            public_url: Some(format!("http://{address}/")),
            secret_key: Some(SECRET.to_owned()),
            fetch_allow: "127.0.0.1,localhost".to_owned(),
            ..Settings::default()
        };
        seed_keys(&db).await;
        let clock = Arc::new(FixedClock::at(Timestamp::parse_in(START, "UTC").unwrap()));
        let app = App::open(&settings, clock.clone(), Arc::new(OsEntropy))
            .await
            .unwrap();
        let app = Arc::new(app);
        let router =
            web::router(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let tenant = add_tenant(&app, "acme").await;
        let platform = TestPlatform::start(&app).await;
        connect(&app, &tenant.id, &platform).await;
        Self {
            app,
            clock,
            tenant,
            platform,
            settings,
            _db: db,
        }
    }

    /// The service's clock moves on.
    pub fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Sends the scores that are due, until none is.
    pub async fn deliver(&self) {
        while passback::deliver_due(&self.app).await.unwrap() > 0 {}
    }

    /// The same database under a second service, as after a restart; gives its address.
    pub async fn restarted(&self) -> url::Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings {
            listen: address,
            public_url: Some(format!("http://{address}/")),
            ..self.settings.clone()
        };
        let app = Arc::new(
            App::open(&settings, self.clock.clone(), Arc::new(OsEntropy))
                .await
                .unwrap(),
        );
        let url = app.public_url.clone();
        let router = web::router(app).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.app.public_url)
    }

    /// An API token of the tenant.
    pub async fn token(&self, scopes: &str) -> String {
        add_token(&self.app, &self.tenant.id, scopes).await
    }
}

/// Makes a tenant.
pub async fn add_tenant(app: &App, slug: &str) -> Tenant {
    let id = TenantId::new(app.now(), &*app.entropy);
    let tenant = Tenant {
        id,
        slug: slug.to_owned(),
        name: "Acme".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
    };
    let mut tx = app.db.begin_write().await.unwrap();
    tx.add_tenant(&tenant, app.now()).await.unwrap();
    tx.commit().await.unwrap();
    tenant
}

/// Makes an API token.
pub async fn add_token(app: &App, tenant: &TenantId, scopes: &str) -> String {
    let secret = passmuster::entropy::secret(&*app.entropy);
    let id = passmuster::ids::TokenId::new(app.now(), &*app.entropy);
    let token = ApiToken {
        id,
        tenant_id: tenant.clone(),
        scopes: scopes.to_owned(),
    };
    let mut tx = app.db.begin_write().await.unwrap();
    let hash = passmuster::crypto::sha256(secret.as_bytes());
    tx.add_api_token(&token, "test", &hash, None, app.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    secret
}

/// Connects a platform to a tenant, its deployment `1` listed.
pub async fn connect(app: &App, tenant: &TenantId, platform: &TestPlatform) -> Platform {
    let at = |path: &str| platform.url(path);
    let registration = Platform {
        id: passmuster::ids::PlatformId::new(app.now(), &*app.entropy),
        tenant_id: tenant.clone(),
        key: passmuster::crypto::hex(&passmuster::entropy::bytes::<8>(&*app.entropy)),
        issuer: platform.issuer.clone(),
        client_id: platform.client_id.clone(),
        auth_url: at("/auth?keep=me"),
        token_url: at("/token"),
        token_aud: None,
        jwks_url: at("/jwks"),
        deployments: DeploymentPolicy::Closed,
        service_origins: Vec::new(),
        name: "Test LMS".to_owned(),
    };
    let mut tx = app.db.begin_write().await.unwrap();
    tx.add_platform(&registration, app.now()).await.unwrap();
    tx.put_deployment(&registration.id, "1", app.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    registration
}

/// Making keys takes its time: one pair serves every test.
async fn seed_keys(db: &TestDb) {
    static KEYS: std::sync::LazyLock<[PrivateKey; 2]> = std::sync::LazyLock::new(|| {
        [1, 2].map(|n| PrivateKey::generate(&SeededEntropy::new([n; 32])).unwrap())
    });
    let seal = SecretKey::from_text(SECRET).unwrap().derive("keys at rest");
    let now = Timestamp::parse_in("2026-01-01", "UTC").unwrap();
    let storage = Db::connect(&db.url).await.unwrap();
    storage.migrate().await.unwrap();
    let mut tx = storage.begin_write().await.unwrap();
    for (key, purpose) in KEYS.iter().zip([KeyPurpose::Lti, KeyPurpose::Evidence]) {
        tx.add_key(&seal_key(&seal, purpose, key, now, now).unwrap())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    storage.close().await;
}
