# What Mailutils and popa3d share: system accounts with the passwords of
# $STATE/accounts, and $STATE/mail as the spool.
while IFS=$'\t' read -r name password; do
  echo "$name:x:$MAIL_UID:$MAIL_GID::/home/$name:/bin/sh" >>/etc/passwd
  echo "$name:$(perl -e 'print crypt($ARGV[0], q($6$postbag$))' -- "$password"):19000:0:99999:7:::" >>/etc/shadow
  install -o "$MAIL_UID" -g "$MAIL_GID" -d "/home/$name"
  install -o "$MAIL_UID" -g "$MAIL_GID" -m 600 /dev/null "$STATE/mail/$name"
done <"$STATE/accounts"
chmod 1777 "$STATE/mail" # lock files
rm -rf /var/mail /var/spool/mail
ln -s "$STATE/mail" /var/mail
ln -s "$STATE/mail" /var/spool/mail
for s in gnu-imap4d gnu-pop3d popa3d; do
  printf 'auth required pam_unix.so nodelay\naccount required pam_unix.so\n' >/etc/pam.d/$s
done
