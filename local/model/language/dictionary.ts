// The words of support in other languages with their English ones: the embedding network knows English only.

/**
 * Per language (ISO 639-1): foreign=english, spaces inside English written `_`; a foreign word that ends in `*`
 * stands for every word that begins so. General vocabulary of such letters, not that of any one data set.
 */
export const DICTIONARY: Readonly<Record<string, string>> = {
  es:
    `factur*=invoice recibo*=receipt cobr*=charge carg*=charge cuota*=fee pag*=pay precio*=price tarjeta*=card banco*=bank
    dinero=money devol*=refund devuelv*=refund reembols*=refund descuent*=discount cup*=coupon suscripci*=subscription suscrib*=subscribe
    impuesto*=tax iva=vat nif=tax_id cancel*=cancel renovaci*=renewal caro=expensive presupuesto=quote tarifa*=rate
    error*=error falla*=fails fallo*=failure funciona*=works bloque*=freezes pantalla*=screen blanc*=blank cierra=closes carga=loads
    sincroniz*=sync actualizaci*=update versi*=version aplicaci*=app app=app móvil=phone teléfono=phone ordenador=computer página=page sitio=site
    cuenta*=account contraseña*=password clave*=password usuario*=user correo*=email sesión=session entrar=log_in acced*=access acceso*=access
    iniciar=sign elimin*=delete borrar=delete datos=data personales=personal registr*=register código=code titular=owner perfil=profile
    añadir=add agreg*=add podría*=could gustaría=would_like sería=would_be posible=possible sugerencia*=suggestion función=feature mejor*=improve
    opción=option modo=mode oscuro=dark poder=be_able quisiera=would_like ojalá=wish
    pedido*=order envío*=shipping entrega*=delivery paquete*=parcel tienda*=shop horario*=opening_hours abren=open abiert*=open gracias=thanks
    felicit*=congratulations trabaj*=job empleo=job garantía=warranty talla*=size dónde=where cuándo=when cuánto=how_much cómo=how qué=what
    no=not nunca=never cada=every vez=time siempre=always ayer=yesterday hoy=today mes=month año=year semana=week día=day después=after desde=since
    antes=before hola=hello favor=please buen*=good necesito=need quiero=want puedo=can pueden=can me=me mi=my mis=my con=with sin=without para=for
    en=in y=and el=the la=the los=the las=the un=a una=a que=that de=of a=to por=for es=is está=is lo=it nuevo=new mismo=same dos=two todos=all`,
  fr:
    `factur*=invoice reçu*=receipt prélèv*=charge prélev*=charge débit*=charge pay*=pay paiement*=payment prix=price tarif*=rate carte*=card
    banqu*=bank argent=money rembours*=refund remise*=discount réduction*=discount coupon*=coupon abonnement*=subscription abonn*=subscribe
    taxe*=tax tva=vat résili*=cancel annul*=cancel devis=quote comptab*=accountant frais=fee compte*=account montant=amount coût*=cost cher=expensive
    erreur*=error bug*=bug plante*=crashes ferme=closes marche=works fonctionne*=works bloqué*=locked écran*=screen bouton*=button grisé=greyed_out
    mise=put jour=day version*=version application*=app appli=app téléphone*=phone ordinateur*=computer page*=page site*=site charge=loads
    mot=word passe=password identifiant*=login connexion=login connect*=log_in accès=access mail*=email adresse*=address supprim*=delete
    données=data personnelles=personal inscri*=register code*=code profil*=profile utilisateur*=user
    ajouter=add serait=would_be pourriez=could formidable=great possible=possible suggestion*=suggestion idée*=idea fonction*=feature
    amélior*=improve option*=option mode=mode sombre=dark aimerais=would_like souhaite*=wish proposer=offer pouvoir=be_able trier=sort
    commande*=order livraison*=delivery colis=parcel magasin*=shop horaire*=opening_hours ouvert*=open merci*=thanks remerci*=thanks garantie*=warranty
    emploi=job poste=job taille=size où=where quand=when combien=how_much comment=how quelle=what quel=what durée=length délai*=time
    ne=not pas=not jamais=never plus=more chaque=every toujours=always hier=yesterday mois=month an=year semaine=week depuis=since après=after
    bonjour=hello besoin=need veux=want peux=can pouvez=can je=i me=me mon=my ma=my mes=my notre=our vous=you nous=we avec=with sans=without pour=for
    dans=in et=and le=the la=the les=the un=a une=a des=some que=that de=of à=to est=is sont=are il=it nouveau=new deux=two tous=all`,
  de:
    `rechnung*=invoice quittung*=receipt abbuch*=charge abgebucht=charged beitrag*=fee gebühr*=fee zahl*=pay bezahl*=pay preis*=price
    karte*=card kreditkarte*=credit_card bank=bank geld=money betrag*=amount erstatt*=refund rückerstatt*=refund überweis*=transfer rabatt*=discount
    gutschein*=voucher abo*=subscription abonnement*=subscription steuer*=tax mehrwertsteuer=vat finanzamt=tax_office kündig*=cancel storno*=cancel
    angebot*=quote kosten=cost kostet=costs teuer=expensive euro=euro lastschrift*=direct_debit
    fehler*=error fehlermeldung=error_message absturz*=crash stürzt=crashes abgestürzt=crashed funktionier*=works geht=works hängt=hangs kaputt=broken
    bildschirm*=screen bild*=picture schwarz=black weiß=white lädt=loads drucker*=printer update*=update aktualisierung*=update version*=version
    programm*=program software=software app=app handy=phone computer=computer seite*=page webseite*=site erkannt=recognised findet=finds
    konto*=account benutzerkonto=user_account passwort*=password kennwort*=password benutzer*=user anmeld*=sign_in einlogg*=log_in login=login
    zugang*=access zugriff*=access gesperrt*=locked lösch*=delete daten=data zurücksetz*=reset zurückzusetzen=reset e-mail=email adresse*=address
    leserecht*=read_permission recht*=permission profil*=profile registr*=register abgelaufen=expired kollege*=colleague
    wunsch*=wish wünsch*=wish vorschlag*=suggestion idee*=idea funktion*=feature möglich=possible möglichkeit*=option wäre=would_be könnte*=could
    hinzufüg*=add ergänz*=add toll=great schön=nice dunkel*=dark modus=mode option*=option verbesser*=improve selbst=self gern*=like
    bestell*=order lieferung*=delivery liefer*=deliver paket*=parcel laden=shop geschäft*=shop öffnungszeit*=opening_hours geöffnet=open danke*=thanks
    garantie*=warranty bewerb*=apply_for_job stelle*=job größe*=size wo=where wann=when wie=how was=what warum=why viel=much lange=long
    nicht=not nie=never kein*=no immer=always jede*=every gestern=yesterday heute=today monat*=month jahr*=year woche*=week seit=since nach=after
    vorher=before hallo=hello bitte*=please brauche=need will=want möchte*=would_like kann=can können=can ich=i mir=me mich=me mein*=my unser*=our
    sie=you ihr*=your wir=we mit=with ohne=without für=for in=in und=and der=the die=the das=the den=the dem=the ein*=a dass=that von=of zu=to zum=to_the
    ist=is sind=are es=it neu*=new alt*=old zwei*=two alle*=all auf=on noch=still sonst=otherwise wenn=if man=one hat=has haben=have wird=is`,
  it:
    `fattur*=invoice ricevut*=receipt addebit*=charge pagament*=payment pagare=pay pagato=paid prezz*=price carta=card banca=bank soldi=money
    rimbors*=refund sconto=discount sconti=discount buono=voucher abbonament*=subscription tass*=tax iva=vat disdi*=cancel annull*=cancel preventiv*=quote
    cost*=cost conto=bill importo=amount
    errore=error errori=error funziona*=works blocca*=freezes bloccat*=locked schermo=screen pagina=page bianc*=blank carica=loads aggiornament*=update
    versione=version app=app applicazione=app telefono=phone computer=computer sito=site notific*=notification chiude=closes carrello=cart
    account=account password=password utente=user accedere=log_in accesso=access mail=email indirizzo=address eliminare=delete cancellare=delete
    dati=data personali=personal registr*=register codice=code conferma=confirmation sbloccar*=unlock tentativi=attempts profilo=profile nome=name cambi*=change
    aggiungere=add sarebbe=would_be utile=useful piacerebbe=would_like possibile=possible possibilità=option richiesta=request suggeriment*=suggestion
    funzion*=feature migliorar*=improve modalità=mode scura=dark poter=be_able scaricare=download vorrei=would_like pensate=do_you_plan
    ordine=order spedizion*=shipping consegn*=delivery pacco=parcel corriere=courier negozio=shop orari*=opening_hours apert*=open grazie=thanks
    garanzia=warranty lavoro=job taglia=size dove=where dov=where quando=when quanto=how_much come=how informazion*=information visit*=tour
    non=not mai=never ogni=every sempre=always ieri=yesterday oggi=today mese=month anno=year settimana=week dopo=after stamattina=this_morning
    buongiorno=hello salve=hello ciao=hello bisogno=need voglio=want posso=can potete=can riesco=manage io=i mi=me mio=my mia=my ho=i_have il=the
    la=the lo=the le=the gli=the un=a una=a che=that di=of a=to per=for con=with senza=without in=in e=and è=is sono=are nuovo=new due=two ancora=yet`,
  pt:
    `fatura*=invoice recibo*=receipt boleto*=payment_slip cobr*=charge pag*=pay preço*=price cartão=card banco=bank dinheiro=money
    reembols*=refund estorn*=refund desconto*=discount cupom=coupon assinatura*=subscription mensalidade*=monthly_fee imposto*=tax multa*=fine cancel*=cancel
    orçamento=quote valor=amount indevida=undue
    erro*=error falha*=failure funciona*=works trava*=freezes travad*=frozen tela=screen carregamento=loading carrega*=load abrir=open atualização=update
    versão=version aplicativo*=app app=app celular=phone computador=computer página=page site=site ar=air fora=out
    conta*=account senha*=password usuário*=user entrar=log_in acess*=access e-mail=email email=email excluir=delete apagar=delete dados=data pessoais=personal
    cadastr*=register código=code perfil=profile invadid*=hacked recuper*=recover trocar=change alterar=change
    adicionar=add seria=would_be ótimo=great gostaria=would_like possível=possible sugest*=suggestion recurso*=feature funcionalidade*=feature
    melhor*=improve opção=option modo=mode escuro=dark permit*=allow poder=be_able compartilhar=share pensam=do_you_plan
    pedido*=order entrega*=delivery envio=shipping pacote=parcel loja*=shop horário*=opening_hours aberto=open obrigad*=thanks agradec*=thanks
    parabéns=congratulations garantia=warranty emprego=job vaga*=job tamanho=size onde=where quando=when quanto=how_much como=how atendimento=service
    camiseta=t-shirt serve=fits medidas=measurements
    não=not nunca=never cada=every sempre=always ontem=yesterday hoje=today mês=month ano=year semana=week depois=after desde=since olá=hello favor=please
    preciso=need quero=want consigo=manage posso=can podem=can eu=i me=me meu=my minha=my vocês=you com=with sem=without para=for em=in no=in_the
    na=in_the e=and o=the a=the os=the as=the um=a uma=a que=that de=of do=of_the da=of_the é=is está=is já=already novo=new todos=all alguém=someone`,
  nl:
    `factu*=invoice rekening*=bill bon=receipt afgeschreven=charged afschrijving*=charge incasso=direct_debit betal*=pay betaal*=pay prijs=price
    prijzen=prices pas=card kaart=card bank=bank geld=money bedrag=amount terugbetal*=refund terugstort*=refund teruggestort=refunded korting*=discount
    abonnement*=subscription belasting=tax btw=vat opzeg*=cancel annuler*=cancel offerte=quote kost*=cost dubbele=double euro=euro
    fout*=error foutmelding=error_message werkt=works vastlop*=freeze crasht=crashes scherm=screen laadt=loads laden=load update=update versie=version
    app=app telefoon=phone computer=computer pagina=page site=site opslaan=save gebeurt=happens opent=opens leest=reads
    account=account wachtwoord*=password gebruiker*=user inlog*=log_in ingelogd=logged_in toegang=access mail=email adres=address verwijder*=delete
    gegevens=data persoonlijke=personal registr*=register code=code profiel=profile vergeten=forgot kloppen=correct
    toevoegen=add zou=would zouden=would graag=like mogelijk=possible wens*=wish suggestie*=suggestion verzoek=request functie=feature verbeter*=improve
    optie=option modus=mode donker*=dark idee=idea kunnen=can beheren=manage thema=theme meldingen=notifications
    bestell*=order levertijd=delivery_time lever*=deliver bezorg*=deliver pakket*=parcel winkel=shop openingstijden=opening_hours open=open bedankt=thanks
    dank=thanks compliment*=compliments garantie=warranty vacature=job maat=size waar=where wanneer=when hoeveel=how_much hoe=how wat=what lang=long
    voorraad=stock monteur=technician vriendelijk=friendly
    niet=not nooit=never geen=no niets=nothing meer=more altijd=always elke=every gisteren=yesterday vandaag=today maand=month jaar=year week=week sinds=since
    laatste=last na=after hallo=hello goedemiddag=hello nodig=need wil=want kan=can ik=i mij=me mijn=my jullie=you u=you wij=we met=with zonder=without voor=for
    in=in en=and de=the het=the een=a dat=that van=of naar=to op=on is=is zijn=are er=there nieuw*=new twee=two keer=times alle=all al=all ook=also maar=but`,
  sv:
    `faktura*=invoice kvitto=receipt debiter*=charge betal*=pay avgift=fee pris*=price kort=card bank=bank pengar=money återbetal*=refund rabatt=discount
    prenumeration*=subscription abonnemang=subscription moms=vat avsluta=cancel säg=cancel belopp=amount kr=crowns offert=quote mellanskillnaden=difference
    fel=error kraschar=crashes fungerar=works funkar=works skärm*=screen laddar=loads uppdatering*=update version=version senaste=latest appen=app
    app=app telefon*=phone mobil*=phone dator=computer sida*=page öppna=open kartan=map
    konto*=account lösenord*=password användar*=user logga=log inlogg*=login åtkomst=access mejl=email e-post=email adress=address radera=delete
    uppgifter=data koden=code kod=code profil=profile glömt=forgot kommer=get
    lägga=add önskemål=wish förslag=suggestion vore=would_be bra=good skulle=would möjligt=possible möjlighet=option funktion*=feature mörkt=dark läge=mode
    sortera=sort kunde=could
    beställning*=order leverans*=delivery paket=parcel butik*=shop öppettider=opening_hours öppet=open tack=thanks garanti=warranty jobb=job storlek*=size
    jackan=jacket liten=small var=where när=when hur=how vad=what mycket=much
    inte=not aldrig=never ingen=no varje=every alltid=always igår=yesterday månad*=month år=year vecka=week efter=after sedan=since hej=hello behöver=need
    vill=want kan=can jag=i mig=me min=my mitt=my ni=you vi=we med=with utan=without för=for i=in och=and en=a ett=a att=to av=of är=is har=have det=it på=on men=but`,
  da:
    `faktura*=invoice kvittering*=receipt opkræv*=charge betal*=pay gebyr=fee pris*=price kort=card bank=bank penge=money refusion=refund tilbagebetal*=refund
    rabat=discount abonnement*=subscription moms=vat opsige=cancel annuller*=cancel beløb=amount tilbud=quote
    fejl*=error crasher=crashes virker=works fungerer=works skærm*=screen opdatering*=update version=version appen=app app=app telefon*=phone mobil*=phone
    computer=computer side*=page gemme=save lukker=closes ukendt=unknown ruter=routes
    konto*=account adgangskode*=password kodeord=password bruger*=user logge=log login=login adgang=access mail=email adresse=address slette*=delete
    oplysninger=data kode=code profil=profile glemt=forgotten godkende=approve
    tilføje=add ønske=wish forslag=suggestion ville=would kunne=could muligt=possible mulighed=option funktion*=feature mørk=dark tilstand=mode
    ordre=order bestilling*=order levering*=delivery leverer=deliver pakke=parcel butik*=shop åbningstider=opening_hours åben=open tak=thanks garanti=warranty
    størrelse=size hvor=where hvornår=when hvordan=how hvad=what lang=long tid=time mangler=missing
    ikke=not aldrig=never ingen=no hver=every altid=always måned=month år=year uge=week efter=after siden=since hej=hello ny=new vil=want kan=can jeg=i mig=me
    min=my mine=my i=you vi=we med=with uden=without for=for og=and en=a et=a at=to af=of er=is har=have det=it på=on men=but til=to`,
  pl:
    `faktur*=invoice paragon=receipt pobran*=charged opłat*=fee płat*=pay zapłac*=pay cen*=price kart*=card bank=bank pieniądze=money zwrot*=refund
    rabat*=discount kupon=coupon subskrypcj*=subscription abonament*=subscription podat*=tax vat=vat anulow*=cancel zrezygn*=cancel ofert*=quote kwot*=amount
    błąd=error błęd*=error działa=works zawiesza=freezes ekran=screen pust*=blank stron*=page wyszukiwark*=search aktualizacj*=update wersj*=version
    aplikacj*=app telefon*=phone komputer*=computer ładuje=loads pojawia=appears
    kont*=account hasł*=password użytkowni*=user zalog*=log_in logow*=login dostęp*=access mail*=email adres*=address usun*=delete dan*=data osobow*=personal
    kod=code profil*=profile zmian*=change zmieni*=change istnieje=exists przypisany=assigned
    doda*=add chciał*=would_like byłoby=would_be mogl*=could możliw*=possible sugesti*=suggestion propozycj*=suggestion funkcj*=feature opcj*=option ciemn*=dark tryb=mode
    zamówieni*=order dostaw*=delivery paczk*=parcel sklep*=shop godzin*=hours otwart*=open dziękuj*=thanks gwarancj*=warranty prac*=job rozmiar=size
    współprac*=partnership gdzie=where kiedy=when ile=how_much jak=how kim=whom porozmawiać=talk przetestować=test
    nie=not nigdy=never każd*=every zawsze=always wczoraj=yesterday miesiąc=month rok=year tydzień=week po=after od=since dzień=day dobry=good proszę=please
    potrzebuj*=need chcę=want mogę=can mogą=can ja=i mnie=me moj*=my państw*=your z=with bez=without za=for w=in i=and że=that do=to jest=is są=are nowy=new`,
  tr:
    `fatura*=invoice makbuz=receipt ücret*=fee öde*=pay fiyat*=price kart*=card banka*=bank para*=money iade*=refund indirim*=discount kupon=coupon
    abonelik*=subscription vergi=tax iptal*=cancel teklif=quote tutar=amount
    hata*=error çalışmıyor=does_not_work çöküyor=crashes donuyor=freezes ekran*=screen güncelleme*=update sürüm=version uygulama*=app telefon*=phone bilgisayar=computer
    sayfa*=page site=site açılmıyor=does_not_open yüklenmiyor=does_not_load
    hesab*=account şifre*=password parola*=password kullanıcı*=user giriş=login erişim*=access e-posta=email mail=email adres*=address sil*=delete veri*=data
    kod*=code profil=profile unuttum=forgot
    ekle*=add öneri*=suggestion istek=request olur=would_be mümkün=possible özellik*=feature seçenek=option karanlık=dark mod=mode mod*=mode isterim=would_like
    sipariş*=order teslim*=delivery kargo*=shipping paket=parcel mağaza*=shop saat*=hours açık=open teşekkür*=thanks garanti=warranty iş=job beden=size
    tamirci*=repairman harika=great ekip*=team sorun*=problem çözdü=solved
    nerede=where zaman=when kaç=how_many nasıl=how ne=what değil=not hiç=never her=every dün=yesterday ay=month yıl=year hafta=week sonra=after hâlâ=still
    merhaba=hello lütfen=please istiyorum=want ben=i benim=my ve=and için=for ile=with bir=a bu=this çok=very gece=night kullanırken=when_using`,
  ru:
    `счёт*=invoice счет*=invoice чек*=receipt списал*=charged списан*=charge оплат*=payment плат*=pay цен*=price карт*=card банк*=bank деньги=money денег=money
    возврат*=refund вернуть=refund скидк*=discount купон=coupon подписк*=subscription налог*=tax ндс=vat отмен*=cancel сумм*=amount тариф*=rate
    ошибк*=error работает=works зависает=freezes вылетает=crashes экран*=screen страниц*=page загружа*=loads открыва*=opens обновлени*=update верси*=version
    приложени*=app телефон*=phone компьютер*=computer сайт*=site отчёт*=report отчет*=report бесконечно=endlessly
    аккаунт*=account учётн*=account учетн*=account парол*=password пользовател*=user логин*=login войти=log_in вход=login доступ*=access почт*=email адрес*=address
    удал*=delete данны*=data личны*=personal код*=code профил*=profile забыл*=forgot
    добав*=add хотелось=would_like можно=possible здорово=great было=would_be пожелани*=wish предложени*=suggestion функци*=feature возможност*=option тёмн*=dark режим=mode
    нескольк*=several делиться=share
    заказ*=order доставк*=delivery посылк*=parcel магазин*=shop часы=hours открыт*=open спасибо=thanks гаранти*=warranty ваканси*=job_vacancy резюме=resume
    работ*=job размер=size где=where когда=when сколько=how_much как=how что=what
    не=not никогда=never каждый=every всегда=always вчера=yesterday месяц*=month год=year недел*=week после=after потом=then снова=again здравствуйте=hello
    пожалуйста=please прошу=please нужн*=need хочу=want могу=can я=i мне=me мой=my моя=my вы=you у=at с=with без=without для=for в=in и=and на=to нет=no`,
  ja:
    `請求書=invoice 請求=charge 領収書=receipt 料金=fee 支払い=payment 支払=payment 引き落とされ=charged 引き落とし=charge 価格=price 値段=price カード=card 銀行=bank
    返金=refund 割引=discount クーポン=coupon 定期購入=subscription 解約=cancel キャンセル=cancel 消費税=tax 二重=double 二回=twice 見積=quote
    エラー=error 起動しない=does_not_start 起動しな=does_not_start 動かない=does_not_work 動作しない=does_not_work 落ちる=crashes 固まる=freezes 画面=screen
    アップデート=update 更新=update バージョン=version アプリ=app スマホ=phone 電話=phone パソコン=computer ページ=page 再インストール=reinstall 不具合=bug 機種=model
    アカウント=account パスワード=password ユーザー=user ログインできません=can_not_log_in ログイン=log_in メールアドレス=email_address メール=email 削除=delete
    個人情報=personal_data 登録=register 認証=verification コード=code 忘れ=forgot 再設定=reset 届きません=does_not_arrive
    追加=add 要望=feature_request 機能=feature いただけると嬉しい=would_be_nice できるように=be_able_to 希望=wish 提案=suggestion 改善=improve ダークモード=dark_mode
    印刷=print 便利=handy 不便=inconvenient
    注文=order 配送=delivery 届=arrive 荷物=parcel 店=shop 営業時間=opening_hours 駐車場=parking 年末年始=new_year_holidays ありがとう=thanks 保証=warranty
    求人=job サイズ=size どこ=where いつ=when 教えて=please_tell_me いくら=how_much 方法=how ありますか=is_there
    先月=last_month 今月=this_month 昨日=yesterday 今日=today お願いします=please ください=please 同じ=same 後=after`,
};
