//! Jobs against a server that says what each test needs.

use std::sync::{Arc, Mutex};

use eft_xmpp::xep::stanza_error::{Condition, DefinedCondition, ErrorType, StanzaError};
use eft_xmpp::xml::encode_element;
use tokio::sync::mpsc;

use super::*;

/// What was asked, as XML, in order.
type Asked = Arc<Mutex<Vec<String>>>;

/// A server that answers by `answer`, to the question as XML.
fn server(
    mut answer: impl FnMut(&str) -> Result<String, RequestError> + Send + 'static,
) -> (Requester, Asked) {
    let (requests, mut questions) = mpsc::unbounded_channel::<crate::pump::request::Request>();
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Some(request) = questions.recv().await {
            let question = encode_element(&request.question.payload).unwrap();
            log.lock().unwrap().push(question.clone());
            let answer = answer(&question).map(|inner| {
                format!("<iq xmlns='jabber:client' type='result' id='1'>{inner}</iq>")
                    .parse()
                    .unwrap()
            });
            let _ = request.reply.send(answer);
        }
    });
    (Requester::new(requests), asked)
}

fn refusal(condition: DefinedCondition, application: &str) -> RequestError {
    let application = (!application.is_empty()).then(|| {
        format!("<{application} xmlns='http://jabber.org/protocol/pubsub#errors'/>")
            .parse()
            .unwrap()
    });
    RequestError::Refused(StanzaError {
        kind: ErrorType::Cancel,
        condition: Condition(condition),
        text: None,
        by: None,
        application: application.into_iter().collect(),
    })
}

fn no_item() -> RequestError {
    refusal(DefinedCondition::ItemNotFound, "")
}

fn not_met() -> RequestError {
    refusal(DefinedCondition::Conflict, "precondition-not-met")
}

fn own() -> DeviceAddress {
    DeviceAddress::new(
        BareJid::new("alice@a.example").unwrap(),
        DeviceId::new(5).unwrap(),
    )
}

fn own_bundle(version: Version) -> Bundle {
    Bundle {
        version,
        identity_key: vec![1; 32],
        signed_pre_key_id: 1,
        signed_pre_key: vec![2; 32],
        signature: vec![3; 64],
        pre_keys: vec![(1, vec![4; 32])],
    }
}

/// What each question is about, and the number of items that it wants.
fn summary(asked: &Asked) -> Vec<String> {
    let asked = asked.lock().unwrap();
    asked
        .iter()
        .map(|question| {
            let kind = match question {
                text if text.contains("<publish ") => "publish",
                text if text.contains("type='submit'") || text.contains("type=\"submit\"") => {
                    "configure"
                }
                text if text.contains("<configure") => "look",
                _ => "other",
            };
            let number = question
                .split_once("pubsub#max_items")
                .and_then(|(_, rest)| rest.split_once("<value>"))
                .and_then(|(_, rest)| rest.split_once("</value>"))
                .map(|(number, _)| number);
            match number {
                Some(number) => format!("{kind} {number}"),
                None => kind.to_owned(),
            }
        })
        .collect()
}

const FORM: &str = "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'>\
    <x xmlns='jabber:x:data' type='form'>\
    <field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#node_config</value></field>\
    <field var='pubsub#title' type='text-single'><value>mine</value></field>\
    <field var='pubsub#access_model' type='list-single'><value>presence</value></field>\
    <field var='pubsub#max_items' type='text-single'><value>1</value></field></x></configure></pubsub>";

#[tokio::test]
async fn a_bundle_is_published_with_what_the_xep_asks_for() {
    for (version, expected) in [
        (Version::Omemo2, "publish max"),
        (Version::Legacy, "publish"),
    ] {
        let (requester, asked) = server(|_| Ok(String::new()));
        publish_bundle(&requester, own().device, own_bundle(version))
            .await
            .unwrap();
        assert_eq!(summary(&asked), [expected]);
        let question = asked.lock().unwrap().remove(0);
        assert!(question.contains("<value>open</value>"), "{question}");
    }
}

#[tokio::test]
async fn pitfall_02_refused_numbers_of_items_get_smaller_until_none_is_asked_for() {
    let refuse = || refusal(DefinedCondition::NotAcceptable, "");
    // How many publications are refused, and what comes of it.
    for (refused, expected) in [
        (1, &["publish max", "publish 1000"][..]),
        (
            3,
            &["publish max", "publish 1000", "publish 100", "publish 10"],
        ),
        (
            4,
            &[
                "publish max",
                "publish 1000",
                "publish 100",
                "publish 10",
                "publish",
            ],
        ),
    ] {
        let mut count = 0;
        let (requester, asked) = server(move |_| {
            count += 1;
            if count <= refused {
                Err(refuse())
            } else {
                Ok(String::new())
            }
        });
        publish_bundle(&requester, own().device, own_bundle(Version::Omemo2))
            .await
            .unwrap();
        assert_eq!(summary(&asked), expected);
    }
    let (requester, asked) = server(move |_| Err(refuse()));
    let error = publish_bundle(&requester, own().device, own_bundle(Version::Omemo2))
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::Refused(_)));
    assert_eq!(summary(&asked).len(), 5);
    // A list asks for no number, so there is nothing to give up.
    let (requester, asked) = server(move |_| Err(refuse()));
    let list = DeviceList::of_ids([own().device]);
    publish_list(&requester, Version::Omemo2, list)
        .await
        .unwrap_err();
    assert_eq!(summary(&asked), ["publish"]);
}

#[tokio::test]
async fn pitfall_01_a_node_with_another_configuration_is_mended_once_and_keeps_the_rest_of_it() {
    let mut is_mended = false;
    let (requester, asked) = server(move |question| {
        if question.contains("<publish ") {
            return if is_mended {
                Ok(String::new())
            } else {
                Err(not_met())
            };
        }
        is_mended |= question.contains("submit");
        Ok(FORM.to_owned())
    });
    publish_bundle(&requester, own().device, own_bundle(Version::Omemo2))
        .await
        .unwrap();
    assert_eq!(
        summary(&asked),
        ["publish max", "look", "configure max", "publish max"]
    );
    let asked = asked.lock().unwrap();
    let form = &asked[2];
    for kept in ["<value>open</value>", "<value>mine</value>"] {
        assert!(form.contains(kept), "{form}");
    }
}

#[tokio::test]
async fn a_node_that_cannot_be_mended_ends_with_an_answer() {
    // Whatever is done, the server finds the configuration wrong.
    let (requester, asked) = server(|question| {
        if question.contains("<publish ") {
            Err(not_met())
        } else {
            Ok(FORM.to_owned())
        }
    });
    let error = publish_bundle(&requester, own().device, own_bundle(Version::Omemo2))
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::Refused(error) if error.is_precondition_not_met()));
    let asked = summary(&asked);
    assert_eq!(
        asked
            .iter()
            .filter(|what| what.starts_with("configure"))
            .count(),
        1
    );
    assert!(asked.len() <= 8, "{asked:?}");
    // It does not let us configure; it has no form; it does not answer.
    for answer in [
        Err(refusal(DefinedCondition::Forbidden, "")),
        Ok(String::new()),
        Err(RequestError::Timeout),
    ] {
        let expected = match &answer {
            Ok(_) => RequestError::Malformed(String::new()),
            Err(error) => error.clone(),
        };
        let (requester, asked) = server(move |question| {
            if question.contains("<publish ") {
                Err(not_met())
            } else {
                answer.clone()
            }
        });
        let list = DeviceList::of_ids([own().device]);
        let error = publish_list(&requester, Version::Omemo2, list)
            .await
            .unwrap_err();
        assert_eq!(
            core::mem::discriminant(&error),
            core::mem::discriminant(&expected),
            "{error}"
        );
        assert_eq!(summary(&asked), ["publish", "look"]);
    }
}

#[tokio::test]
async fn a_lost_connection_is_no_refusal_and_is_not_tried_again() {
    for error in [
        RequestError::Timeout,
        RequestError::Ended,
        RequestError::TooMany,
    ] {
        let name = error.to_string();
        let (requester, asked) = server(move |_| Err(error.clone()));
        let bundle = own_bundle(Version::Omemo2);
        let got = publish_bundle(&requester, own().device, bundle)
            .await
            .unwrap_err();
        assert_eq!(got.to_string(), name);
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn of_several_items_the_newest_that_has_content_counts() {
    let list = |ids: &[u32]| {
        let devices: String = ids
            .iter()
            .map(|id| format!("<device id='{id}'/>"))
            .collect();
        format!("<devices xmlns='urn:xmpp:omemo:2'>{devices}</devices>")
    };
    let items = format!(
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:omemo:2:devices'>\
         <item id='old'>{}</item><item id='current'>{}</item><item id='empty'/></items></pubsub>",
        list(&[1]),
        list(&[2, 0, 2]),
    );
    for (answer, expected) in [
        (Ok(items), Some(vec![2])),
        (
            Ok("<pubsub xmlns='http://jabber.org/protocol/pubsub'>\
                <items node='urn:xmpp:omemo:2:devices'/></pubsub>"
                .to_owned()),
            None,
        ),
        (Err(no_item()), None),
    ] {
        let (requester, _) = server(move |_| answer.clone());
        let list = fetch_list(&requester, &own().jid, Version::Omemo2)
            .await
            .unwrap();
        let ids = list.map(|list| list.ids().map(DeviceId::as_u32).collect::<Vec<_>>());
        assert_eq!(ids, expected);
    }
}

#[tokio::test]
async fn answers_that_make_no_sense_are_told_from_absent_ones() {
    for answer in [
        "",
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'/>",
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='another'>\
         <item><devices xmlns='urn:xmpp:omemo:2'/></item></items></pubsub>",
    ] {
        let (requester, _) = server(|_| Ok(answer.to_owned()));
        let error = fetch_list(&requester, &own().jid, Version::Omemo2)
            .await
            .unwrap_err();
        assert!(
            matches!(error, RequestError::Malformed(_)),
            "{answer}: {error}"
        );
    }
    let rubbish = "<pubsub xmlns='http://jabber.org/protocol/pubsub'>\
        <items node='urn:xmpp:omemo:2:bundles'><item id='5'><bundle xmlns='urn:xmpp:omemo:2'/></item></items></pubsub>";
    let (requester, _) = server(|_| Ok(rubbish.to_owned()));
    let error = fetch_bundle(&requester, &own(), Version::Omemo2)
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::Malformed(_)), "{error}");
    let (requester, _) = server(|_| Err(no_item()));
    for version in Version::ALL {
        assert!(
            fetch_bundle(&requester, &own(), version)
                .await
                .unwrap()
                .is_none()
        );
    }
}

/// A server where everything is as it should be, but for what the first question that contains
/// `about` gets.
fn set_up_server(about: &'static str, answer: Result<String, RequestError>) -> Requester {
    let (requester, _) = server(move |question| {
        if question.contains(about) {
            return answer.clone();
        }
        if question.contains("<items") {
            return Err(no_item());
        }
        if question.contains("disco#info") {
            return Ok("<query xmlns='http://jabber.org/protocol/disco#info'>\
                <feature var='urn:xmpp:mam:2'/></query>"
                .to_owned());
        }
        Ok("<query xmlns='jabber:iq:roster'><item jid='bob@b.example' subscription='both'/></query>".to_owned())
    });
    requester
}

#[tokio::test]
async fn a_server_without_carbons_or_an_archive_will_do() {
    let none = || Err(refusal(DefinedCondition::ServiceUnavailable, ""));
    let found = set_up(&set_up_server("nothing", none()), &own(), false)
        .await
        .unwrap();
    assert!(found.has_archive);
    assert_eq!(found.contacts.len(), 1);
    assert!(found.own_lists.iter().all(|(_, list)| list.is_none()));
    assert!(found.own_bundles.iter().all(|(_, bundle)| bundle.is_none()));
    let found = set_up(&set_up_server("urn:xmpp:carbons:2", none()), &own(), false)
        .await
        .unwrap();
    assert!(found.has_archive);
    let found = set_up(&set_up_server("disco#info", none()), &own(), false)
        .await
        .unwrap();
    assert!(!found.has_archive);
    let without_features = Ok("<query xmlns='http://jabber.org/protocol/disco#info'/>".to_owned());
    let found = set_up(
        &set_up_server("disco#info", without_features),
        &own(),
        false,
    )
    .await
    .unwrap();
    assert!(!found.has_archive);
    // A bundle of ours that cannot be read is as good as none.
    let rubbish = Ok("<pubsub/>".to_owned());
    let found = set_up(&set_up_server(":bundles", rubbish), &own(), false)
        .await
        .unwrap();
    assert!(found.own_bundles.iter().all(|(_, bundle)| bundle.is_none()));
}

#[tokio::test]
async fn a_question_of_the_set_up_without_an_answer_ends_it() {
    for about in [
        "jabber:iq:roster",
        "urn:xmpp:carbons:2",
        "disco#info",
        "urn:xmpp:omemo:2:devices",
        "urn:xmpp:omemo:2:bundles",
        "axolotl.devicelist",
        "axolotl.bundles",
    ] {
        let requester = set_up_server(about, Err(RequestError::Timeout));
        let error = match set_up(&requester, &own(), false).await {
            Ok(_) => panic!("{about} has no answer"),
            Err(error) => error,
        };
        assert!(matches!(error, RequestError::Timeout), "{about}: {error}");
    }
    // To be told that there is no device list although there may be one would lose other devices.
    let refused = || Err(refusal(DefinedCondition::Forbidden, ""));
    assert!(
        set_up(&set_up_server(":devices", refused()), &own(), false)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_subscription_counts_only_when_it_is_confirmed() {
    let answer = |state: &str| {
        format!(
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'>\
             <subscription node='urn:xmpp:omemo:2:devices' jid='alice@a.example' {state}/></pubsub>"
        )
    };
    for (answer, expected) in [
        (Ok(answer("subscription='subscribed'")), true),
        (Ok(answer("subscription='pending'")), false),
        (Ok(answer("subscription='unconfigured'")), false),
        (Ok(answer("")), false),
        (Ok(String::new()), false),
        (Err(no_item()), false),
        (Err(not_met()), false),
        (Err(RequestError::Timeout), false),
    ] {
        let name = format!("{answer:?}");
        let (requester, asked) = server(move |_| answer.clone());
        let bob = BareJid::new("bob@b.example").unwrap();
        let is_subscribed = subscribe(&requester, &own().jid, &bob, Version::Omemo2).await;
        assert_eq!(is_subscribed, expected, "{name}");
        assert_eq!(asked.lock().unwrap().len(), 1, "{name}");
    }
}
