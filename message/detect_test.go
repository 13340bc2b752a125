package message_test

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"example.com/postbag/message"
)

// Texts that do not say their charset are read, whatever the language; so are
// subjects.
func TestDetect(t *testing.T) {
	for _, tt := range []struct {
		name string
		enc  encoding.Encoding
		text string
	}{
		{"Shift_JIS", japanese.ShiftJIS, "色は匂えど 散りぬるを 我が世誰ぞ 常ならん。プレスリリースのヘッドラインをお届けします。"},
		{"EUC-JP", japanese.EUCJP, "色は匂えど 散りぬるを 我が世誰ぞ 常ならん。プレスリリースのヘッドラインをお届けします。"},
		{"EUC-KR", korean.EUCKR, "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다. 주말특가 일본정품"},
		{"GBK", simplifiedchinese.GBK, "石室诗士施氏，嗜狮，誓食十狮。我们的公司已经在北京开业了，欢迎大家来访问。"},
		{"Big5", traditionalchinese.Big5, "顏是家訓，夫九州之人，言語不同，生民已來，固常然矣。自春秋標齊言之傳，離騷目楚詞之經。"},
		{"Windows-1251", charmap.Windows1251, "Уведомление участникам. Добрый день, уважаемые коллеги! Съешь же ещё этих булок"},
		{"KOI8-R", charmap.KOI8R, "Уведомление участникам. Добрый день, уважаемые коллеги! Съешь же ещё этих булок"},
		{"Greek", charmap.Windows1253, "Έκδοση μηνιαίου λογαριασμού. Αγαπητέ συνδρομητή, Σας ευχαριστούμε που έχετε επιλέξει"},
		{"French", charmap.Windows1252, "Une fin d'année chargée et un début d'année prometteur, à très bientôt, élève “cité” naïve façade"},
		{"German", charmap.Windows1252, "Größe äöüß, ÄÖÜ, Straße, Füße, „Gänsefüßchen“, Übermut, Ärger, Öl, Maß"},
		{"Swedish", charmap.Windows1252, "Räksmörgås åäö ÅÄÖ smörgåsbord på ön är väldigt gott, äter gärna"},
		{"Spanish", charmap.Windows1252, "¿Qué tal? ¡Mañana será otro día, señor! El niño comió piña en la montaña según él"},
		{"Thai", charmap.Windows874, "สวัสดีครับ ขอเรียนเชิญทุกท่านเข้าร่วมประชุมประจำเดือน ในวันจันทร์ที่จะถึงนี้"},
		{"Hebrew", charmap.Windows1255, "שלום רב, אנו שמחים להזמין אתכם לישיבה הבאה של הוועד שתתקיים ביום שלישי בערב"},
		{"Arabic", charmap.Windows1256, "السلام عليكم ورحمة الله وبركاته، نود دعوتكم إلى حضور الاجتماع القادم يوم الثلاثاء"},
		{"Arabic of ISO", charmap.ISO8859_6, "السلام عليكم ورحمة الله وبركاته، نود دعوتكم إلى حضور الاجتماع القادم يوم الثلاثاء"},
		{"short Thai", charmap.Windows874, "ขอบคุณมากครับ แล้วพบกันใหม่"},
		{"short Hebrew", charmap.Windows1255, "שלום חברים"},
		{"short Arabic", charmap.Windows1256, "مرحبا بالعالم العربي"},
		{"short Chinese", simplifiedchinese.GBK, "你好，欢迎大家"},
		{"short Japanese", japanese.ShiftJIS, "こんにちは世界"},
		{"Ukrainian", charmap.Windows1251, "Шановні колеги! Запрошуємо вас на зустріч, яка відбудеться у вівторок ввечері"},
		{"Russian without capitals", charmap.Windows1251, "и где же это письмо, о котором вы говорили на прошлой неделе"},
		{"Korean in a list", korean.EUCKR, "회의 안내: 다음 주 화요일 오후 세 시에 회의실에서 만나요"},
		{"short Russian", charmap.Windows1251, "Привет, как дела?"},
	} {
		octets, err := tt.enc.NewEncoder().String(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		m := parse(t, "Subject: "+octets+"\n\n"+octets)
		if got, err := m.Text(); err != nil || got != tt.text {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.text)
		}
		if got := m.Envelope().Subject; got != strings.TrimSpace(tt.text) {
			t.Errorf("%s: Subject %q, want %q", tt.name, got, tt.text)
		}
	}
}

// Seven bits that are Korean or Chinese are read with and without a label, in
// texts and in subjects.
func TestShifted(t *testing.T) {
	seven := func(enc encoding.Encoding, text string) string {
		octets, err := enc.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		b := []byte(octets)
		for i := range b {
			b[i] &= 0x7f
		}
		return "\x0e" + string(b) + "\x0f"
	}
	for _, tt := range []struct{ name, octets, want string }{
		{"iso-2022-kr", "\x1b$)C\n" + seven(korean.EUCKR, "안녕하세요") + ", Kim\n", "\n안녕하세요, Kim\n"},
		{"iso-2022-kr", "\x1b$)C" + seven(korean.EUCKR, "회의") + " 10:00 " + seven(korean.EUCKR, "세시"), "회의 10:00 세시"},
		{"iso-2022-kr", "\x1b$)C" + strings.TrimSuffix(seven(korean.EUCKR, "회의"), "\x0f") + "\nline", "회의\nline"},
		{"iso-2022-cn", "\x1b$)A" + seven(simplifiedchinese.GBK, "交换") + " ok", "交换 ok"},
		{"iso-2022-cn", "\x1b$)G\x0e!!\x0f ok", "\ufffd ok"},
		{"iso-2022-kr", "plain", "plain"},
	} {
		for _, label := range []string{"; charset=" + tt.name, ""} {
			m := parse(t, "Content-Type: text/plain"+label+"\n\n"+tt.octets)
			if got, err := m.Text(); err != nil || strings.ReplaceAll(got, "\r\n", "\n") != tt.want {
				t.Errorf("%q%s: %q, %v, want %q", tt.octets, label, got, err, tt.want)
			}
			if d := m.Defects(); len(d) > 0 {
				t.Errorf("%q%s: %v", tt.octets, label, d)
			}
		}
		subject := strings.ReplaceAll(tt.octets, "\n", "\x0f ")
		if got, want := message.DecodeCharset(tt.name, subject), strings.TrimSpace(strings.ReplaceAll(tt.want, "\n", " ")); got != want {
			t.Errorf("%q is %q, want %q", subject, got, want)
		}
	}
}
