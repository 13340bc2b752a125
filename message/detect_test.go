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
		{"short Chinese", simplifiedchinese.GBK, "你好，欢迎大家"},
		{"short Japanese", japanese.ShiftJIS, "こんにちは世界"},
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
