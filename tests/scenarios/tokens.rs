//! Logging in without the password, and after it was changed.

use std::time::Duration;

use eft_tests::{Phone, Prosody};

/// The server counts passwords' ages in whole seconds, and a token of the same second as newer.
const A_SECOND: Duration = Duration::from_millis(1100);

#[tokio::test]
async fn after_the_first_login_a_token_stands_for_the_password_also_in_a_new_process() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::builder().one_step_login().start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    assert!(!by_token(&phone).await);
    for number in 1..=2 {
        phone.account.disconnect().await;
        phone.connect().await.unwrap();
        assert!(by_token(&phone).await);
        phone.reopen().await.unwrap();
        phone.connect().await.unwrap();
        assert!(by_token(&phone).await);
        // The server says so, too.
        let log = server.log().unwrap();
        let by_token = log.matches("Client is authenticating using FAST").count();
        assert_eq!(by_token, 2 * number);
    }
}

#[tokio::test]
async fn a_password_that_was_changed_elsewhere_ends_the_token_and_is_asked_of_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::builder().one_step_login().start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    phone.account.disconnect().await;
    tokio::time::sleep(A_SECOND).await;
    server.change_password(&alice, "another").await.unwrap();
    for _ in 0..2 {
        let refused = phone.connect().await.unwrap_err();
        assert_eq!(refused.code(), "auth-rejected", "{refused}");
        assert!(!refused.retryable());
    }
    phone
        .account
        .set_password("a wrong one".to_owned())
        .await
        .unwrap();
    let refused = phone.connect().await.unwrap_err();
    assert_eq!(refused.code(), "auth-rejected", "{refused}");
    phone
        .account
        .set_password("another".to_owned())
        .await
        .unwrap();
    phone.connect().await.unwrap();
    assert!(!by_token(&phone).await);
    phone.account.disconnect().await;
    phone.connect().await.unwrap();
    assert!(by_token(&phone).await, "a new token for the new password");
}

async fn by_token(phone: &Phone) -> bool {
    let session = phone.account.session_info().await.unwrap();
    session.unwrap().by_token
}
