# Courier: passwords in a userdb, a Maildir for each user.
getent passwd courier >/dev/null || useradd --system --no-create-home --user-group courier
mkdir -p /run/courier/authdaemon /var/lib/courier /etc/courier/shared
chown -R courier: /run/courier /var/lib/courier
cd /etc/courier

cat "$STATE/key.pem" "$STATE/cert.pem" >imapd.pem
cp imapd.pem pop3d.pem
chown courier: ./*.pem
chmod 600 ./*.pem

hash() { # PASSWORD OPTION
  printf '%s\n' "$1" | userdbpw "$2"
}
while IFS=$'\t' read -r name password; do
  install -d -o "$MAIL_UID" -g "$MAIL_GID" -m 700 "$STATE/mail/$name" "$STATE/mail/$name/Maildir" "$STATE/mail/$name/Maildir/"{tmp,new,cur}
  printf '%s\tuid=%s|gid=%s|home=%s|systempw=%s|hmac-md5pw=%s|hmac-sha1pw=%s|hmac-sha256pw=%s\n' \
    "$name" "$MAIL_UID" "$MAIL_GID" "$STATE/mail/$name" "$(hash "$password" -md5)" \
    "$(hash "$password" -hmac-md5)" "$(hash "$password" -hmac-sha1)" "$(hash "$password" -hmac-sha256)"
done <"$STATE/accounts" >userdb
chmod 600 userdb
makeuserdb
cat >>authdaemonrc <<CONF
authmodulelist="authuserdb"
daemons=3
CONF

cat >>imapd <<CONF
ADDRESS=127.0.0.1
PORT=$IMAP_PORT
MAXPERIP=1000
MAXDAEMONS=1000
IMAP_CAPABILITY="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5 AUTH=CRAM-SHA1 AUTH=CRAM-SHA256 IDLE"
IMAP_ENHANCEDIDLE=0
IMAP_IDLE_TIMEOUT=1
CONF
cat >>imapd-ssl <<CONF
SSLADDRESS=127.0.0.1
SSLPORT=$IMAPS_PORT
TLS_VERIFYPEER=NONE
CONF
cat >>pop3d <<CONF
ADDRESS=127.0.0.1
PORT=$POP3_PORT
MAXPERIP=1000
MAXDAEMONS=1000
POP3AUTH="PLAIN LOGIN CRAM-MD5 CRAM-SHA1 CRAM-SHA256"
POP3AUTH_TLS="PLAIN LOGIN CRAM-MD5 CRAM-SHA1 CRAM-SHA256"
CONF
cat >>pop3d-ssl <<CONF
SSLADDRESS=127.0.0.1
SSLPORT=$POP3S_PORT
TLS_VERIFYPEER=NONE
CONF
authdaemond start
for s in imapd imapd-ssl pop3d pop3d-ssl; do
  /usr/lib/courier/$s start
done
while :; do sleep 3600; done # they run in the background
