//! A password that an older release hashed with less work.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use harness::{Client, PASSWORD, System};

use crate::people::people;
use crate::steps::login;

/// As this release may have been years ago: a quarter of the memory.
fn old_hash(password: &str) -> String {
    let params = Params::new(4_864, 2, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(password.as_bytes()).unwrap().to_string()
}

/// `$argon2id$v=19$m=…,t=…,p=…`, without salt and hash.
fn parameters(hash: &str) -> &str {
    let (with_salt, _) = hash.rsplit_once('$').unwrap();
    with_salt.rsplit_once('$').unwrap().0
}

/// What the database holds of somebody's password.
struct Stored {
    database: tokio_postgres::Client,
    owner: Client,
}

impl Stored {
    async fn hash(&self) -> String {
        let hash = "SELECT password_hash FROM users WHERE id = $1";
        self.database.query_one(hash, &[&self.owner.id()]).await.unwrap().get(0)
    }

    async fn replace(&self, hash: &str) {
        let replace = "UPDATE users SET password_hash = $2 WHERE id = $1";
        let replaced = self.database.execute(replace, &[&self.owner.id(), &hash]).await.unwrap();
        assert_eq!(replaced, 1);
    }

    async fn sign_in(&self, password: &str) -> u16 {
        login(self.owner.api(), self.owner.account(), password).await.status
    }
}

#[tokio::test]
async fn signing_in_replaces_a_hash_of_older_parameters_and_a_wrong_password_does_not() {
    let [owner] = people(["ada"]).await;
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let stored = Stored { database, owner };
    let of_today = stored.hash().await;
    let old = old_hash(PASSWORD);
    assert_ne!(parameters(&old), parameters(&of_today), "it would not be old");
    stored.replace(&old).await;

    assert_eq!(stored.sign_in("a wrong password").await, 401);
    assert_eq!(stored.hash().await, old, "whoever guesses changes nothing");

    assert_eq!(stored.sign_in(PASSWORD).await, 200);
    let fresh = stored.hash().await;
    assert_eq!(parameters(&fresh), parameters(&of_today));
    assert_ne!(fresh, of_today, "it has a salt of its own");

    assert_eq!(stored.sign_in(PASSWORD).await, 200);
    assert_eq!(stored.sign_in("a wrong password").await, 401);
    assert_eq!(stored.hash().await, fresh, "a hash of today stays");
}
