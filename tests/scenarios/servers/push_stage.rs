//! Where the stories are told in which a server pushes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use eft::{Account, ConnectionState, Error, PushHealth, PushTarget, PushTest};
use eft_tests::{
    AnyServer, AppServer, AppServerPlace, Login, Phone, Prosody, Push, ServerKind, wait_for,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// How long a test waits for what does not come.
pub(super) const SHORT: Duration = Duration::from_secs(4);

/// How long anything of these stories may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A server, two accounts, and Bob's app with a server of its own.
pub(super) struct PushStage {
    pub(super) server: AnyServer,
    pub(super) place: AppServerPlace,
    /// Gone where a story takes it.
    pub(super) app_server: Option<AppServer>,
    pub(super) alice: Login,
    pub(super) bob: Login,
    pub(super) folder: TempDir,
}

impl PushStage {
    pub(super) async fn set(kind: ServerKind) -> Self {
        let place = AppServerPlace::beside("eft.test").unwrap();
        let server = AnyServer::start_with(kind, Some(&place)).await.unwrap();
        Self::on(server, place).await
    }

    pub(super) async fn on(server: AnyServer, place: AppServerPlace) -> Self {
        Self {
            app_server: Some(AppServer::connect(&place).await.unwrap()),
            alice: server.add_account("alice").await.unwrap(),
            bob: server.add_account("bob").await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            place,
            server,
        }
    }

    pub(super) async fn phone(&self, login: &Login, name: &str) -> Phone {
        Phone::online(&self.server, login, name, self.folder.path())
            .await
            .unwrap()
    }

    pub(super) fn app_server(&self) -> &AppServer {
        self.app_server.as_ref().unwrap()
    }

    /// Waits until the app's server was told once more than `told` times, and gives that push; `told` counts it then.
    pub(super) async fn next_push(&self, told: &mut usize) -> Push {
        let pushes = self.app_server().wait_for(*told + 1, PATIENCE).await;
        let mut pushes = pushes.unwrap();
        *told = pushes.len();
        pushes.pop().unwrap()
    }

    pub(super) fn target(&self) -> PushTarget {
        PushTarget {
            service: self.place.name.parse().unwrap(),
            node: Some("bobs phone".to_owned()),
            options: vec![("secret".to_owned(), "of the app server".to_owned())],
        }
    }
}

/// Prosody with the module that the docs advise, out of this folder.
pub(super) async fn prosody_with_module(place: &AppServerPlace) -> (AnyServer, TempDir) {
    let source = include_str!("../../../docs/mod_cloud_notify_omemo2.lua");
    prosody_with(place, "cloud_notify_omemo2", source).await
}

/// Prosody with a module of this name and source, out of this folder.
pub(super) async fn prosody_with(
    place: &AppServerPlace,
    name: &str,
    source: &str,
) -> (AnyServer, TempDir) {
    // In a folder that the server's user can read.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let file = folder.path().join(format!("mod_{name}.lua"));
    fs::write(&file, source).unwrap();
    let builder = Prosody::builder()
        .app_server(place)
        .with_module(name, folder.path());
    let server = AnyServer::Prosody(Box::new(builder.start().await.unwrap()));
    (server, folder)
}

pub(super) async fn health(phone: &Phone) -> Option<PushHealth> {
    phone.account.push_health().await.unwrap()
}

pub(super) async fn wait_until_registered(phone: &Phone) {
    wait_for("the server's consent", PATIENCE, || async {
        let health = health(phone).await;
        matches!(
            health,
            Some(PushHealth::Registered { .. } | PushHealth::Proven { .. })
        )
    })
    .await
    .unwrap();
}

/// A phone of Bob's for which the server agreed to push.
pub(super) async fn registered(stage: &PushStage) -> Phone {
    let bobs = stage.phone(&stage.bob, "bobs").await;
    bobs.account.register_push(stage.target()).await.unwrap();
    wait_until_registered(&bobs).await;
    bobs
}

/// A self-test that runs beside the story.
pub(super) fn test(phone: &Phone, within: Duration) -> JoinHandle<Result<PushTest, Error>> {
    let account = phone.account.clone();
    tokio::spawn(async move { account.test_push(within).await })
}

pub(super) async fn wait_until_online(account: &Account) {
    wait_for("a connection", PATIENCE, || async {
        matches!(account.connection_state(), ConnectionState::Online)
    })
    .await
    .unwrap();
}
