use domain::Timestamp;

use super::*;

const TOKEN: &str = "Zx3-_abcdefghijklmnopqrstuvwxyz0123456789ABCD";

fn letters() -> Letters {
    let app_url = "https://chat.example/app/".parse().unwrap();
    Letters::new(app_url, &"Acme <no-reply@acme.example>".parse().unwrap())
}

fn written(name: &str, letter: &Letter) -> Mail {
    letters().write(&EmailAddress::parse("ada@example.org").unwrap(), name, letter)
}

fn sign_in(device_name: Option<&str>, address: Option<&str>) -> Letter {
    Letter::NewSignIn {
        device_name: device_name.map(str::to_owned),
        address: address.map(str::to_owned),
        at: Timestamp::from_unix_ms(2_000_000_000_000).unwrap(),
    }
}

fn all() -> [Letter; 3] {
    let token = TOKEN.to_owned();
    let sign_in = sign_in(Some("Ada's phone"), Some("2001:db8::1"));
    [Letter::VerifyEmail { token: token.clone() }, Letter::ResetPassword { token }, sign_in]
}

#[test]
fn every_letter_is_complete_in_both_forms() {
    for letter in all() {
        let mail = written("Ada", &letter);
        for said in [&mail.subject, &mail.text, &mail.html] {
            assert!(!said.is_empty() && !said.contains("{{") && !said.contains("}}"), "{said}");
        }
        assert_eq!(mail.to.as_str(), "ada@example.org");
        assert!(mail.subject.starts_with("Acme: "), "{}", mail.subject);
        assert!(!mail.text.contains(&mail.subject), "the subject is not repeated");
        assert!(mail.text.contains("Hello Ada,") && mail.html.contains("Hello Ada,"));
    }
}

#[test]
fn a_link_leads_to_the_app_with_the_token_behind_the_hash() {
    let token = TOKEN.to_owned();
    for (letter, path) in [
        (Letter::VerifyEmail { token: token.clone() }, "verify-email"),
        (Letter::ResetPassword { token }, "reset-password"),
    ] {
        let link = format!("https://chat.example/app/{path}#token={TOKEN}");
        let mail = written("Ada", &letter);
        assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
        assert!(mail.html.contains(&format!("href=\"{link}\"")), "{}", mail.html);
        assert!(!mail.subject.contains(TOKEN));
    }
}

#[test]
fn a_letter_says_how_long_its_link_works() {
    let [verify, reset, _] = all();
    assert!(written("Ada", &verify).text.contains("within 3 days:"));
    assert!(written("Ada", &reset).text.contains("within 1 hour:"));
    assert_eq!(words(Duration::from_secs(90)), "1 minute");
    assert_eq!(words(Duration::from_secs(24 * 3600)), "24 hours");
}

#[test]
fn a_sign_in_is_told_with_what_is_known_of_it() {
    let text = written("Ada", &sign_in(Some("Phone, iOS 17.4"), Some("192.0.2.7"))).text;
    for line in ["Device:  Phone, iOS 17.4", "Address: 192.0.2.7", "Time:    2033-05-18 03:33 UTC"]
    {
        assert!(text.contains(line), "{text}");
    }
    let text = written("Ada", &sign_in(None, None)).text;
    assert!(text.contains("Device:  unknown") && text.contains("Address: unknown"), "{text}");
}

#[test]
fn a_name_cannot_write_html() {
    let hostile = "<img src=x onerror=\"alert('1')\"> & co";
    for letter in all() {
        let mail = written(hostile, &letter);
        assert!(!mail.html.contains("<img"), "{}", mail.html);
        let safe = "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; co";
        assert!(mail.html.contains(safe), "{}", mail.html);
    }
    let html = written("Ada", &sign_in(Some(hostile), Some("<b>"))).html;
    assert!(!html.contains("<img") && !html.contains("<b>"), "{html}");
}

#[test]
fn a_name_that_looks_like_a_link_is_left_out() {
    for name in [
        "Win at evil.example",
        "https://evil",
        "help@evil",
        "evil\u{3002}example",
        "evil.\u{202e}example",
        "\r\n",
    ] {
        let mail = written(name, &sign_in(Some(name), None));
        assert!(mail.text.starts_with("Hello,\n"), "{name:?}: {}", mail.text);
        assert!(mail.text.contains("Device:  unknown"), "{name:?}");
        assert!(!mail.text.contains("evil") && !mail.html.contains("evil"), "{name:?}");
    }
}

#[test]
fn a_name_is_not_read_as_a_template() {
    let mail = written("{{link}} {{app}}", &all()[0]);
    assert!(mail.text.starts_with("Hello {{link}} {{app}},"), "{}", mail.text);
}

#[test]
fn a_name_stays_on_its_line() {
    let mail = written("Ada\r\nBcc: eve", &sign_in(Some("a\nb\u{2028}c"), Some("1\n2")));
    assert!(mail.text.starts_with("Hello AdaBcc: eve,\n"), "{}", mail.text);
    assert!(mail.text.contains("Device:  abc\nAddress: 12\n"), "{}", mail.text);
}

#[test]
fn an_app_is_reached_in_a_safe_way_only() {
    for raw in ["https://chat.example", "https://x.example:8443/a/b/", "http://127.0.0.1:3000"] {
        assert!(raw.parse::<AppUrl>().is_ok(), "{raw}");
    }
    for raw in [
        "",
        "chat.example",
        "http://chat.example",
        "javascript:alert(1)",
        "https://ada:hunter2@chat.example",
        "https://chat.example/?next=x",
        "https://chat.example/#x",
        "http://localhost.evil.example",
    ] {
        assert!(raw.parse::<AppUrl>().is_err(), "{raw}");
    }
}
