//! Exports that are damaged, foreign, hostile or large.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::OnceLock;

use eft_store::{Batch, ExportOptions, ImportError, Store, StoreOptions};
use rand_core::Rng as _;

use super::stage::{PASSPHRASE, go_on, import, lines_of, sealed, sealed_lines};
use crate::support::*;

/// Size of a block of age with its tag, and of one without.
const BLOCK: usize = 64 * 1024 + 16;
const PLAIN_BLOCK: usize = 64 * 1024;

/// The lines of an export of some blocks.
fn some_lines() -> Vec<String> {
    static LINES: OnceLock<Vec<String>> = OnceLock::new();
    LINES.get_or_init(make_lines).clone()
}

fn make_lines() -> Vec<String> {
    let home = Home::new();
    let mut batch = Batch::new();
    for number in 0..500 {
        let mut message = live(&number.to_string());
        message.content = eft_store::Content::Readable(eft_store::Plaintext::text(
            format!("{number} ").repeat(60),
        ));
        batch.insert_message(message);
    }
    home.commit(&batch);
    let mut file = Vec::new();
    let options = ExportOptions::default();
    home.store
        .export(&mut file, PASSPHRASE, &options, at(1), &mut go_on)
        .unwrap();
    lines_of(&file)
}

/// Tries a file, which must be refused and change nothing.
fn refused(home: &Home, file: &[u8]) -> ImportError {
    let error = import(&home.store, file).unwrap_err();
    assert_eq!(home.store.conversations().unwrap(), [], "{error}");
    assert_eq!(home.store.archive_cursors().unwrap(), [], "{error}");
    error
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_refused_whole() {
    let file = sealed_lines(&some_lines());
    let header = file.len() - payload_of(&file).len();
    let home = Home::new();
    let boundaries: Vec<usize> = (header..file.len()).step_by(BLOCK).collect();
    assert!(boundaries.len() >= 3, "{}", boundaries.len());
    let mut cuts = boundaries.clone();
    for boundary in boundaries {
        cuts.extend([boundary - 1, boundary + 1, boundary + 15, boundary + 16]);
    }
    cuts.extend([
        0,
        1,
        20,
        21,
        22,
        100,
        file.len() - 1,
        file.len() - 16,
        file.len() - 17,
    ]);
    let mut random = rng(4);
    cuts.extend((0..40).map(|_| random.next_u32() as usize % file.len()));
    for cut in cuts.into_iter().filter(|cut| *cut < file.len()) {
        let error = refused(&home, &file[..cut]);
        assert!(
            matches!(
                error,
                ImportError::Incomplete { .. }
                    | ImportError::Damaged { .. }
                    | ImportError::NotAnExport
            ),
            "cut at {cut}: {error}"
        );
    }
    assert_eq!(import(&home.store, &file).unwrap().inserted, 500);
}

/// What follows the header of age.
fn payload_of(file: &[u8]) -> &[u8] {
    let mark = file
        .windows(5)
        .position(|window| window == b"\n--- ")
        .unwrap();
    let end = file[mark + 1..]
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap();
    // The nonce belongs to the payload; blocks are counted behind it.
    &file[mark + 1 + end + 1 + 16..]
}

#[test]
fn a_file_with_one_changed_byte_is_refused_whole() {
    let file = sealed_lines(&some_lines());
    let header = file.len() - payload_of(&file).len();
    let home = Home::new();
    let mut random = rng(5);
    let sampled = (0..80).map(|_| random.next_u32() as usize % file.len());
    let positions = (0..header)
        .chain([file.len() - 1, header, header + BLOCK])
        .chain(sampled);
    for position in positions {
        let mut changed = file.clone();
        changed[position] ^= 1 << (position % 8);
        let error = refused(&home, &changed);
        assert!(
            matches!(
                error,
                ImportError::Damaged { .. }
                    | ImportError::NotAnExport
                    | ImportError::WrongPassphrase
                    | ImportError::TooMuchWork { .. }
                    | ImportError::Incomplete { .. }
            ),
            "byte {position}: {error}"
        );
    }
}

#[test]
fn blocks_in_another_order_or_twice_are_refused() {
    let file = sealed_lines(&some_lines());
    let header = file.len() - payload_of(&file).len();
    let home = Home::new();
    let block = |number: usize| &file[header + number * BLOCK..header + (number + 1) * BLOCK];
    let rest = |number: usize| &file[header + number * BLOCK..];
    for damaged in [
        [&file[..header], block(1), block(0), rest(2)].concat(),
        [&file[..header], block(0), block(0), rest(1)].concat(),
        [&file[..header], rest(1)].concat(),
        [&file[..], block(0)].concat(),
    ] {
        assert!(matches!(
            refused(&home, &damaged),
            ImportError::Damaged { .. }
        ));
    }
}

#[test]
fn another_passphrase_opens_nothing() {
    let home = Home::new();
    let file = sealed_lines(&some_lines());
    for passphrase in ["", "parting", "PARTING IS SUCH SWEET SORROW"] {
        assert!(matches!(
            home.store
                .import(Cursor::new(&file), passphrase, &mut go_on),
            Err(ImportError::WrongPassphrase)
        ));
    }
}

#[test]
fn a_file_that_asks_for_too_much_work_is_not_tried() {
    let home = Home::new();
    let file = sealed_lines(&some_lines());
    let text = String::from_utf8_lossy(&file[..100]);
    let line = text.lines().nth(1).unwrap();
    assert!(
        line.starts_with("-> scrypt ") && line.ends_with(" 1"),
        "{line}"
    );
    for work in ["19", "30", "63"] {
        let heavier = format!("{} {work}", line.strip_suffix(" 1").unwrap());
        let begin = "age-encryption.org/v1\n".len();
        let changed = [
            &file[..begin],
            heavier.as_bytes(),
            &file[begin + line.len()..],
        ]
        .concat();
        let error = refused(&home, &changed);
        assert!(
            matches!(error, ImportError::TooMuchWork { found_log2, allowed_log2: 18 }
                if found_log2.to_string() == work),
            "{error}"
        );
    }
}

#[test]
fn what_is_no_export_is_named_and_not_read_to_its_end() {
    let home = Home::new();
    let to_a_key = {
        let key = age::x25519::Identity::generate().to_public();
        let recipients = std::iter::once(&key as &dyn age::Recipient);
        let mut file = Vec::new();
        let output = age::Encryptor::with_recipients(recipients).unwrap();
        output.wrap_output(&mut file).unwrap().finish().unwrap();
        file
    };
    for file in [
        Vec::new(),
        b"age-encryption.org/v1\n".to_vec(),
        b"age-encryption.org/v2\n-> x\n".to_vec(),
        b"SQLite format 3\0".to_vec(),
        vec![0; 100_000],
        to_a_key,
        sealed_lines(&some_lines())[1..].to_vec(),
    ] {
        assert!(matches!(refused(&home, &file), ImportError::NotAnExport));
    }
    /// A header without an end.
    struct Endless(u64);
    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let begin = b"age-encryption.org/v1\n-> scrypt ";
            for byte in buffer.iter_mut() {
                *byte = *begin.get(self.0 as usize).unwrap_or(&b'a');
                self.0 += 1;
            }
            assert!(self.0 < 10_000, "it reads on");
            Ok(buffer.len())
        }
    }
    impl std::io::Seek for Endless {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Err(std::io::ErrorKind::Unsupported.into())
        }
    }
    assert!(matches!(
        home.store.import(Endless(0), PASSPHRASE, &mut go_on),
        Err(ImportError::NotAnExport)
    ));
}

#[test]
fn the_header_says_whose_it_is_and_how_new() {
    let home = Home::new();
    let lines = some_lines();
    let with_header = |from: &str, to: &str| {
        let mut lines = lines.clone();
        let header = lines[0].replace(from, to);
        assert_ne!(header, lines[0]);
        lines[0] = header;
        refused(&home, &sealed_lines(&lines))
    };
    assert!(matches!(
        with_header(r#""version":1"#, r#""version":2,"something":"new""#),
        ImportError::NewerVersion { found: 2, known: 1 }
    ));
    assert!(matches!(
        with_header("romeo@", "mercutio@"),
        ImportError::OtherAccount { account } if account == "mercutio@montague.example"
    ));
    for (from, to) in [
        ("eft-export", "other-export"),
        (r#""version":1"#, r#""version":1,"something":"new""#),
        ("romeo@montague.example", "@"),
        (r#"{"format""#, r#"["format""#),
    ] {
        assert!(matches!(
            with_header(from, to),
            ImportError::Damaged { row: 0, .. }
        ));
    }
}

#[test]
fn a_row_that_cannot_be_is_refused_with_its_number_and_without_its_words() {
    let home = Home::new();
    let lines = some_lines();
    let find = |row: &str| {
        let mark = format!(r#"{{"row":"{row}""#);
        lines
            .iter()
            .position(|line| line.starts_with(&mark))
            .unwrap()
    };
    let message = find("message");
    let end = find("end");
    let archive = find("archive");
    let conversation = find("conversation");
    for (at_line, from, to) in [
        (message, r#""place":"#, r#""place":1e99,"x":"#),
        (
            message,
            r#""direction":"incoming""#,
            r#""direction":"sideways""#,
        ),
        (message, r#""sender":"juliet"#, r#""sender":"@juliet"#),
        (message, r#""text":"#, r#""cause":"bad_mac","text":"#),
        (message, r#""text":"#, r#""stanza_id":"1","text":"#),
        (message, r#""text":"#, r#""delivery":"failed","text":"#),
        (message, r#""text":"#, r#""sender_key":"AAAA","text":"#),
        (message, r#""text":"#, r#""unheard_of":1,"text":"#),
        (message, r#""row":"message""#, r#""row":"rumour""#),
        (message, r#""peer":"juliet"#, r#""peer":"nurse"#),
        (archive, r#""newest_place":"#, r#""newest_place":1,"was":"#),
        (archive, r#""oldest_place":0"#, r#""oldest_place":2"#),
        (
            archive,
            r#""oldest_place":0"#,
            r#""oldest_place":-9223372036854775808"#,
        ),
        (archive, r#""jid":"romeo"#, r#""jid":"nurse"#),
        (conversation, r#""kind":"direct""#, r#""kind":"duel""#),
    ] {
        let mut changed = lines.clone();
        changed[at_line] = lines[at_line].replacen(from, to, 1);
        assert_ne!(changed[at_line], lines[at_line], "{from}");
        let error = refused(&home, &sealed_lines(&changed));
        assert!(
            matches!(error, ImportError::Damaged { .. }),
            "{to}: {error}"
        );
        assert!(!format!("{error} {error:?}").contains("juliet"));
    }
    let mut without = lines.clone();
    without.remove(end);
    assert!(matches!(
        refused(&home, &sealed_lines(&without)),
        ImportError::Incomplete { rows } if rows == lines.len() as u64 - 2
    ));
    let mut fewer = lines.clone();
    fewer.remove(message);
    assert!(matches!(
        refused(&home, &sealed_lines(&fewer)),
        ImportError::Damaged {
            detail: "the end counts other rows",
            ..
        }
    ));
    let mut more = lines.clone();
    more.push(lines[message].clone());
    assert!(matches!(
        refused(&home, &sealed_lines(&more)),
        ImportError::Damaged {
            detail: "something follows the end",
            ..
        }
    ));
    let text = lines.join("\n");
    assert!(matches!(
        refused(&home, &sealed(text.as_bytes())),
        ImportError::Incomplete { .. }
    ));
}

#[test]
fn a_line_without_an_end_takes_no_memory_without_an_end() {
    let home = Home::new();
    let mut inside = some_lines()[0].clone().into_bytes();
    inside.push(b'\n');
    inside.resize(
        inside.len() + eft_store::limits::MAX_EXPORT_LINE_BYTES + 10,
        b'a',
    );
    assert!(matches!(
        refused(&home, &sealed(&inside)),
        ImportError::TooLong { row: 1 }
    ));
}

#[test]
fn a_file_that_ends_with_a_block_is_read_twice_like_any_other() {
    for blocks in [1, 3] {
        let home = Home::new();
        let mut lines = some_lines();
        let end = lines.len() - 1;
        let keep = lines.iter().scan(0, |sum, line| {
            *sum += line.len() + 1;
            Some(*sum)
        });
        let fitting = keep
            .take_while(|sum| *sum < blocks * PLAIN_BLOCK - 200)
            .count();
        lines.drain(fitting.min(end)..end);
        let rows = lines.len() - 2;
        *lines.last_mut().unwrap() = format!(r#"{{"row":"end","rows":{rows}}}"#);
        let length: usize = lines.iter().map(|line| line.len() + 1).sum();
        // Spaces mean nothing in JSON.
        let padding = " ".repeat(blocks * PLAIN_BLOCK - length);
        lines.last_mut().unwrap().push_str(&padding);
        let file = sealed_lines(&lines);
        assert_eq!(payload_of(&file).len(), blocks * BLOCK);
        assert!(import(&home.store, &file).unwrap().inserted > 50);
    }
}

/// Names the folder of the databases to the child, which is this test again.
const CHILD: &str = "EFT_STORE_EXPORT_MEMORY_TEST";

#[test]
fn memory_does_not_grow_with_the_history() {
    if let Ok(folder) = std::env::var(CHILD) {
        transfer_within(std::path::Path::new(&folder));
        return;
    }
    if !cfg!(target_os = "linux") {
        // Elsewhere nothing says how much memory a process uses.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "export::damage::memory_does_not_grow_with_the_history";
    let out = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    // A name that no test has would succeed, too.
    assert!(
        out.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&out.stderr)
    );
}

/// Takes 24 MB of text from one database to another in a few MB of memory.
fn transfer_within(folder: &std::path::Path) {
    const MESSAGES: u32 = 6000;
    const ALLOWED_KIB: u64 = 8 * 1024;
    let options = StoreOptions::extension();
    let create = |name: &str| Store::create(&folder.join(name), &key(), &own(), &options).unwrap();
    let old = create("old.db");
    for batch_number in 0..MESSAGES / 100 {
        let mut batch = Batch::new();
        for number in 0..100 {
            let mut message = live(&format!("{batch_number}-{number}"));
            let text = "word ".repeat(800);
            message.content = eft_store::Content::Readable(eft_store::Plaintext::text(text));
            batch.insert_message(message);
        }
        old.commit(&batch, eft_store::Durability::Deferred).unwrap();
    }
    let file = folder.join("history.age");
    let mut output = std::fs::File::create(&file).unwrap();
    let mut watch = MemoryWatch::default();
    let exported = old
        .export(
            &mut output,
            PASSPHRASE,
            &ExportOptions::default(),
            at(1),
            &mut |_| watch.look(),
        )
        .unwrap();
    assert_eq!(exported.messages, u64::from(MESSAGES));
    assert!(watch.growth_kib() < ALLOWED_KIB, "export: {watch:?}");
    assert!(file.metadata().unwrap().len() > 24_000_000);
    old.close().unwrap();
    let new = create("new.db");
    let mut watch = MemoryWatch::default();
    let input = std::fs::File::open(&file).unwrap();
    let imported = new
        .import(input, PASSPHRASE, &mut |_| watch.look())
        .unwrap();
    assert_eq!(imported.inserted, u64::from(MESSAGES));
    assert!(watch.growth_kib() < ALLOWED_KIB, "import: {watch:?}");
}

/// What the process has in memory: at first, after the passphrase, and at most.
#[derive(Debug, Default)]
struct MemoryWatch {
    first_kib: Option<u64>,
    most_kib: u64,
    looks: u32,
}

impl MemoryWatch {
    fn look(&mut self) -> ControlFlow<()> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        let kib = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        self.first_kib.get_or_insert(kib);
        self.most_kib = self.most_kib.max(kib);
        self.looks += 1;
        ControlFlow::Continue(())
    }

    fn growth_kib(&self) -> u64 {
        assert!(self.looks > 20, "{self:?}");
        self.most_kib - self.first_kib.unwrap()
    }
}
