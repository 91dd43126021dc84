//! What the handle asks for, on an account that never connects.

use std::sync::Arc;

use eft_store::{
    Batch, ConversationRef, DeliveryState, Durability, MemorySecretStore, MessageUpdate,
    SendFailure,
};
use eft_types::Timestamp;

use super::*;
use crate::{Config, Content, Credentials, Eft};

/// An account that never connects.
async fn account(folder: &tempfile::TempDir) -> Account {
    let config = Config {
        data_dir: folder.path().to_owned(),
    };
    let eft = Eft::open(config, Arc::new(MemorySecretStore::new())).unwrap();
    eft.add_account(Credentials {
        jid: BareJid::new("alice@a.example").unwrap(),
        password: "secret".to_owned().into(),
    })
    .await
    .unwrap()
}

/// Writes to the account's database beside its thread.
async fn store(account: &Account, work: impl FnOnce(&mut Batch) + Send + 'static) {
    account
        .read(move |store| {
            let mut batch = Batch::new();
            work(&mut batch);
            store.commit(&batch, Durability::Full)?;
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn an_opt_out_stops_sending_until_the_user_goes_on_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(&folder).await;
    let bob = BareJid::new("bob@b.example").unwrap();
    let conversation = account.conversation(bob.clone());
    conversation.send("before").await.unwrap();
    assert_eq!(conversation.opt_out().await.unwrap(), None);
    let opt_out = OptOut {
        at: Timestamp::from_millis(1),
        reason: Some("the rules of the house".to_owned()),
    };
    let kept = opt_out.clone();
    store(&account, move |batch| {
        batch.set_opt_out(
            ConversationRef::direct(bob),
            Some(kept),
            Timestamp::from_millis(1),
        );
    })
    .await;

    let error = conversation.send("after").await.unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("opted-out", false));
    assert!(!error.to_string().contains("house"), "{error}");
    assert_eq!(conversation.opt_out().await.unwrap(), Some(opt_out));
    // It is about this contact alone.
    let carol = account.conversation(BareJid::new("carol@c.example").unwrap());
    carol.send("hello").await.unwrap();

    conversation.keep_encrypted().await.unwrap();
    assert_eq!(conversation.opt_out().await.unwrap(), None);
    conversation.send("encrypted as before").await.unwrap();
    let texts: Vec<_> = conversation
        .timeline(None, 10)
        .await
        .unwrap()
        .messages
        .into_iter()
        .map(|message| message.content)
        .collect();
    let expected = ["encrypted as before", "before"].map(|text| Content::Text(text.to_owned()));
    assert_eq!(texts, expected);
    account.shut_down().await;
}

#[test]
fn control_characters_do_not_pass_and_emoji_do() {
    assert!("tab\tnew\nline ☕ 🦎".chars().all(is_xml_char));
    for bad in ['\0', '\u{8}', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
        assert!(!is_xml_char(bad), "{bad:?}");
    }
}

async fn message(conversation: &Conversation, id: MessageId) -> crate::Message {
    let page = conversation.timeline(None, 10).await.unwrap();
    let found = page.messages.into_iter().find(|message| message.id == id);
    found.unwrap()
}

#[tokio::test]
async fn a_message_that_failed_is_queued_again_under_its_row_and_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(&folder).await;
    let conversation = account.conversation(BareJid::new("bob@b.example").unwrap());
    let other = account.conversation(BareJid::new("carol@c.example").unwrap());
    let id = conversation.send("hello").await.unwrap();
    let before = message(&conversation, id).await;
    let error = conversation.resend(id).await.unwrap_err();
    assert_eq!(error.code(), "invalid-input", "it waits already");

    account
        .read(move |store| {
            let entry = store.outbox(None, 10)?.remove(0).id;
            let mut batch = Batch::new();
            batch.remove_outbox(entry);
            let reason = SendFailure::NotTrusted;
            let failed = DeliveryState::Failed {
                reason,
                detail: None,
            };
            batch.update_message(id, MessageUpdate::Delivery(failed));
            store.commit(&batch, Durability::Full)?;
            Ok(())
        })
        .await
        .unwrap();
    let failed = message(&conversation, id).await;
    assert!(matches!(
        failed.delivery,
        Some(crate::Delivery::Failed { .. })
    ));
    assert!(other.resend(id).await.is_err(), "of another conversation");
    conversation.resend(id).await.unwrap();
    assert_eq!(message(&conversation, id).await, before);
    let entries = account
        .read(|store| Ok(store.outbox(None, 10)?))
        .await
        .unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].message, &entries[0].stanza), (Some(id), &None));
    assert!(conversation.resend(id).await.is_err(), "only once");
    account.shut_down().await;
}

#[tokio::test]
async fn separate_versions_are_a_setting_of_one_conversation_that_stays() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(&folder).await;
    let bob = account.conversation(BareJid::new("bob@b.example").unwrap());
    let carol = account.conversation(BareJid::new("carol@c.example").unwrap());
    assert!(!bob.separate_versions().await.unwrap());
    bob.set_separate_versions(true).await.unwrap();
    assert!(bob.separate_versions().await.unwrap());
    assert!(!carol.separate_versions().await.unwrap());
    bob.set_separate_versions(false).await.unwrap();
    assert!(!bob.separate_versions().await.unwrap());
    account.shut_down().await;
}
