//! Logging in without the password.

use eft_tests::{Phone, Prosody};

#[tokio::test]
async fn after_the_first_login_a_token_stands_for_the_password_also_in_a_new_process() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::builder().one_step_login().start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "phone", folder.path())
        .await
        .unwrap();
    server.change_password(&alice, "another").await.unwrap();
    // The password is no longer worth anything, as a device without a token finds out.
    let stranger = Phone::new(&server, &alice, "stranger", folder.path())
        .await
        .unwrap();
    let refused = stranger.connect().await.unwrap_err();
    assert_eq!(refused.code(), "auth-rejected", "{refused}");
    for _ in 0..2 {
        phone.account.disconnect().await;
        phone.connect().await.unwrap();
        phone.reopen().await.unwrap();
        phone.connect().await.unwrap();
    }
}
