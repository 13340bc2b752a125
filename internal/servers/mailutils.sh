# GNU Mailutils.
configure() { # PORT PORT_WITH_TLS
  cat <<CONF
mode daemon;
transcript no;
logging { syslog no; };
auth {
  authentication "generic:system";
  authorization "system";
};
mailbox { mail-spool $STATE/mail; mailbox-type mbox; };
acl { allow any; };
max-children 1000;
timeout 1800;
tls-file-checks {
  key-file none;
  cert-file none;
  ca-file none;
};
tls {
  ssl-certificate-file $STATE/cert.pem;
  ssl-key-file $STATE/key.pem;
};
server 127.0.0.1:$1 { tls-mode ondemand; };
server 127.0.0.1:$2 { tls-mode connection; };
CONF
}
(configure "$IMAP_PORT" "$IMAPS_PORT"; echo "pidfile /run/imap4d.pid;") >/etc/imap4d.conf
(configure "$POP3_PORT" "$POP3S_PORT"; echo "pidfile /run/pop3d.pid;") >/etc/pop3d.conf
imap4d --no-config --config-file=/etc/imap4d.conf --foreground &
pop3d --no-config --config-file=/etc/pop3d.conf --foreground &
wait -n
