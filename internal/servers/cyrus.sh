# Cyrus: passwords in a sasldb, mail in its own store, filled over IMAP.
mkdir -p /run/cyrus/{proc,lock,socket,spool,conf/{db,socket,log}} # in memory: Cyrus syncs much
getent passwd cyrus >/dev/null || echo "cyrus:x:$MAIL_UID:$MAIL_GID::/var/lib/cyrus:/usr/sbin/nologin" >>/etc/passwd
while IFS=$'\t' read -r name password; do
  printf '%s\n' "$password" | saslpasswd2 -p -c -u mail.example.com "$name"
done <"$STATE/accounts"
touch /etc/sasldb2
chown -R cyrus: /etc/sasldb2 /run/cyrus

cat >/etc/imapd.conf <<CONF
configdirectory: /run/cyrus/conf
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
defaultpartition: default
partition-default: /run/cyrus/spool
altnamespace: yes
unixhierarchysep: yes
virtdomains: off
servername: mail.example.com
autocreate_quota: 0
munge8bit: no
allowplaintext: yes
allowstarttls: yes
allowapop: yes
popminpoll: 0
failedloginpause: 0
imapidlepoll: 1
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256
syslog_prefix: cyrus
umask: 077
tls_server_cert: $STATE/cert.pem
tls_server_key: $STATE/key.pem
tls_session_timeout: 0
idlesocket: /run/cyrus/socket/idle
lmtpsocket: /run/cyrus/socket/lmtp
notifysocket: /run/cyrus/socket/notify
CONF
cat >/etc/cyrus.conf <<CONF
START {
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -r"
}
SERVICES {
  imap cmd="/usr/lib/cyrus/bin/imapd" listen="127.0.0.1:$IMAP_PORT" proto="tcp4" prefork=1
  imaps cmd="/usr/lib/cyrus/bin/imapd -s" listen="127.0.0.1:$IMAPS_PORT" proto="tcp4" prefork=1
  pop3 cmd="/usr/lib/cyrus/bin/pop3d" listen="127.0.0.1:$POP3_PORT" proto="tcp4" prefork=1
  pop3s cmd="/usr/lib/cyrus/bin/pop3d -s" listen="127.0.0.1:$POP3S_PORT" proto="tcp4" prefork=1
}
DAEMON {
  idled cmd="/usr/lib/cyrus/bin/idled"
}
CONF
/usr/lib/cyrus/bin/master -p /run/cyrus/master.pid -L "$STATE/log" &
wait $!
