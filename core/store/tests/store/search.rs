//! Finding messages by their words, and forgetting them with their words.

use eft_store::{
    Batch, Content, Insertion, MessageEncryption, MessageUpdate, NewMessage, NewOutboxEntry,
    OutboxContent, Plaintext, StoreError,
};
use eft_types::{BareJid, MessageId};

use crate::hygiene::decrypted;
use crate::support::*;

const TEXTS: [&str; 12] = [
    "Wherefore art thou Romeo?",
    "But soft, what light through yonder window breaks",
    "Ärger mit der Crème brûlée",
    "我们明天去东京都看朋友",
    "明日は東京で会いましょう",
    "서울에서 만나요",
    "พรุ่งนี้เจอกันที่กรุงเทพ",
    "see https://example.org/a-path?q=1 for more",
    "mixed 東京tower words",
    "猫",
    "",
    "!!! ... ???",
];

/// A home with [`TEXTS`] in the conversation with Juliet, oldest first.
fn library() -> Home {
    let home = Home::new();
    for (number, text) in TEXTS.iter().enumerate() {
        let mut message = live(&number.to_string());
        message.content = Content::Readable(Plaintext::text(*text));
        home.insert(&message);
    }
    home
}

fn found(home: &Home, typed: &str) -> Vec<String> {
    let messages = home.store.search(typed, None, None, 1000).unwrap();
    messages.iter().rev().map(text_of).collect()
}

fn index_all(home: &Home) {
    while !home.store.index_search(3).unwrap() {}
}

#[test]
fn words_are_found_by_their_beginnings_in_every_script_indexed_or_not() {
    let searches: [(&str, &[usize]); 20] = [
        ("romeo", &[0]),
        ("WHEREFORE rom", &[0]),
        ("rom where", &[0]),
        ("meo", &[]),
        ("arger", &[2]),
        ("creme BRULEE", &[2]),
        ("東京", &[4, 8]),
        ("东京", &[3]),
        ("东京都", &[3]),
        ("京都", &[3]),
        ("明天", &[3]),
        ("友", &[3]),
        ("会いま", &[4]),
        ("서울", &[5]),
        ("만나", &[5]),
        ("กรุงเทพ", &[6]),
        ("example.org", &[7]),
        ("東京tow", &[8]),
        ("猫", &[9]),
        ("mixed 京", &[8]),
    ];
    // All in the tail, some of each, all in the index.
    let home = library();
    for indexed in [0, 1, 4, 6, 1] {
        home.store.index_search(indexed).unwrap();
        for (typed, expected) in searches {
            let expected: Vec<_> = expected.iter().map(|number| TEXTS[*number]).collect();
            assert_eq!(found(&home, typed), expected, "{typed} after {indexed}");
        }
        for nothing in ["", "  ", "!!!", "\"", "* OR NEAR( romeo", "romeo AND"] {
            let found = found(&home, nothing);
            assert!(found.is_empty(), "{nothing}: {found:?}");
        }
    }
    index_all(&home);
    assert_eq!(found(&home, "romeo").len(), 1);
}

#[test]
fn results_come_newest_first_in_pages_of_one_conversation_or_all() {
    let home = Home::new();
    let mut ids = Vec::new();
    for number in 0..2500 {
        let mut message = live(&format!("word {number}"));
        if number % 5 == 0 {
            message.conversation = eft_store::ConversationRef::room(room());
        }
        ids.push(home.insert(&message).id());
        if number == 1200 {
            assert!(home.store.index_search(5000).unwrap());
        }
    }
    let pages = |peer: Option<&BareJid>| {
        let mut all: Vec<MessageId> = Vec::new();
        loop {
            let page = home
                .store
                .search("wor", peer, all.last().copied(), 400)
                .unwrap();
            if page.is_empty() {
                return all;
            }
            all.extend(page.iter().map(|message| message.id));
        }
    };
    ids.reverse();
    assert_eq!(pages(None), ids);
    let of_room: Vec<_> = ids.iter().rev().step_by(5).rev().copied().collect();
    assert_eq!(pages(Some(&room())), of_room);
    assert_eq!(pages(Some(&jid("nobody@capulet.example"))), []);
}

#[test]
fn what_became_readable_behind_the_mark_is_found() {
    let home = Home::new();
    let mut waits = live("waits");
    waits.content = pending();
    let id = home.insert(&waits).id();
    index_all(&home);
    let mut batch = Batch::new();
    batch.update_message(
        id,
        MessageUpdate::Content {
            content: Content::Readable(Plaintext::text("it was the nightingale")),
            encryption: MessageEncryption::Omemo2,
            sender_key: None,
        },
    );
    home.commit(&batch);
    assert_eq!(found(&home, "nightingale").len(), 1);
    let mut batch = Batch::new();
    batch.delete_message(id);
    home.commit(&batch);
    assert_eq!(found(&home, "nightingale").len(), 0);
}

#[test]
fn indexing_needs_the_lease_like_every_write() {
    let home = library();
    let other = eft_store::Store::open(&home.path(), &key(), &options()).unwrap();
    let secrets = eft_store::MemorySecretStore::new();
    let name = crate::processes::name();
    let _lease = other
        .take_lease(&secrets, &name, std::time::Duration::ZERO)
        .unwrap();
    assert!(matches!(
        home.store.index_search(10),
        Err(StoreError::LeaseLost)
    ));
    assert!(matches!(
        home.store.expire(at(i64::MAX), 10),
        Err(StoreError::LeaseLost)
    ));
}

/// Whether a word stands anywhere in the closed database, decrypted.
fn is_left(home: Home, word: &str) -> bool {
    let path = home.path();
    let folder = home.folder;
    home.store.close().unwrap();
    let bytes = decrypted(&path);
    drop(folder);
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

#[test]
fn a_deleted_message_leaves_no_word_in_table_or_index() {
    // Words of one beginning share it in an index, so the rest of the word is what is looked for.
    let filled = || {
        let home = Home::new();
        let mut ids = Vec::new();
        for number in 0..200 {
            ids.push(home.insert(&live(&format!("filler{number}"))).id());
        }
        let secret = home.insert(&live("xyzzyplughplover")).id();
        index_all(&home);
        (home, secret)
    };
    let (home, _) = filled();
    assert!(is_left(home, "yzzyplughplover"), "the search finds it");
    let (home, secret) = filled();
    let mut batch = Batch::new();
    batch.delete_message(secret);
    batch.delete_message(secret);
    home.commit(&batch);
    assert_eq!(found(&home, "xyzzyplughplover"), [""; 0]);
    assert_eq!(found(&home, "filler1").len(), 111, "the others stay");
    assert!(!is_left(home, "yzzyplughplover"));
}

#[test]
fn retention_takes_the_oldest_and_leaves_what_still_waits() {
    let home = Home::new();
    let old = |mut message: NewMessage, when| {
        message.received = at(when);
        message
    };
    for number in 0..10 {
        home.insert(&old(live(&format!("old {number}")), number));
    }
    let mut waits = live("waits");
    waits.content = pending();
    home.insert(&old(waits, 1));
    home.insert(&old(live("new"), 1000));
    let mut batch = Batch::new();
    let queued = batch.insert_message(old(ours("queued"), 1));
    batch.enqueue(NewOutboxEntry {
        content: OutboxContent::NewMessage(queued),
        stanza: None,
        to: None,
        queued: at(1),
    });
    home.commit(&batch);
    index_all(&home);
    assert_eq!(home.store.expire(at(500), 4).unwrap(), 4);
    assert_eq!(found(&home, "old").len(), 6);
    assert_eq!(home.store.expire(at(500), 100).unwrap(), 6);
    assert_eq!(home.store.expire(at(500), 100).unwrap(), 0);
    assert_eq!(home.texts(&juliet()), ["?", "new", "queued"]);
    let unread = home.store.conversations().unwrap()[0].unread_count;
    assert_eq!(unread, 2, "derived from what is there");
    // A number is not given to another message: notifications refer to it.
    let Insertion::Inserted(next) = home.insert(&live("next")) else {
        panic!("it is new")
    };
    assert!(next.as_row() > 13);
}
