# Dovecot, 2.3 or 2.4.
for u in dovecot dovenull; do # made by the package when it is installed
  getent passwd $u >/dev/null || useradd --system --no-create-home --user-group $u
done
while IFS=$'\t' read -r name password; do
  install -d -o "$MAIL_UID" -g "$MAIL_GID" -m 700 "$STATE/mail/$name" "$STATE/mail/$name/Maildir" "$STATE/mail/$name/Maildir/"{tmp,new,cur}
  printf '%s:{PLAIN}%s:%s:%s::%s::\n' "$name" "$password" "$MAIL_UID" "$MAIL_GID" "$STATE/mail/$name"
done <"$STATE/accounts" >"$STATE/users"
chmod 644 "$STATE/users"

case $(dovecot --version) in
2.[0-3].*)
  cat <<CONF
mail_location = maildir:~/Maildir
mail_plugins = zlib
protocol imap {
  mail_plugins = zlib imap_zlib
}
disable_plaintext_auth = no
ssl_cert = <$STATE/cert.pem
ssl_key = <$STATE/key.pem
ssl_dh =
passdb {
  driver = passwd-file
  args = username_format=%u $STATE/users
}
userdb {
  driver = passwd-file
  args = username_format=%u $STATE/users
}
CONF
  ;;
*)
  cat <<CONF
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_driver = maildir
mail_path = ~/Maildir
auth_allow_cleartext = yes
ssl_server_cert_file = $STATE/cert.pem
ssl_server_key_file = $STATE/key.pem
passdb passwd-file {
  passwd_file_path = $STATE/users
}
userdb passwd-file {
  passwd_file_path = $STATE/users
}
CONF
  ;;
esac >"$STATE/dovecot.conf"

cat >>"$STATE/dovecot.conf" <<CONF
protocols = imap pop3 ${LMTP_PORT:+lmtp}
listen = 127.0.0.1
base_dir = $STATE/base
state_dir = $STATE/base
log_path = /dev/stderr
first_valid_uid = 1
ssl = yes
mail_fsync = never
mail_max_userip_connections = 1000
auth_mechanisms = plain login cram-md5 apop scram-sha-1 scram-sha-256
auth_failure_delay = 0
namespace inbox {
  inbox = yes
  separator = /
}
service imap-login {
  inet_listener imap {
    port = $IMAP_PORT
  }
  inet_listener imaps {
    port = $IMAPS_PORT
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $POP3_PORT
  }
  inet_listener pop3s {
    port = $POP3S_PORT
    ssl = yes
  }
}
# A wrong password in a test is no attack: no waiting at the next login.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
CONF
# Without that port Dovecot has no LMTP at all: its package is not here.
[ -z "$LMTP_PORT" ] || cat >>"$STATE/dovecot.conf" <<CONF
service lmtp {
  inet_listener lmtp {
    port = $LMTP_PORT
  }
}
protocol lmtp {
  postmaster_address = postmaster@example.com
}
CONF
exec dovecot -F -c "$STATE/dovecot.conf"
