<!-- What the independent server (DaCHS) publishes: the images of fields.py, with SIA 2.0, DataLink and SODA. -->
<resource schema="fields" resdir="fields">
  <meta name="title">Small fields</meta>
  <meta name="creationDate">2026-01-01T00:00:00Z</meta>
  <meta name="description">Small images for tests.</meta>
  <meta name="subject">surveys</meta>
  <meta name="creator.name">Tester</meta>
  <meta name="facility">Small telescope</meta>
  <meta name="instrument">Small camera</meta>

  <table id="main" onDisk="True" mixin="//siap#pgs" adql="True">
    <mixin calibLevel="2" collectionName="'FIELDS'" targetName="object" expTime="exptime"
      tMin="t_start" tMax="t_end" accessURL="links_url" mime="'application/x-votable+xml;content=datalink'"
    >//obscore#publishSIAP</mixin>
    <meta name="_associatedDatalinkService">
      <meta name="serviceId">dl</meta>
      <meta name="idColumn">pub_did</meta>
    </meta>
    <column name="object" type="text" ucd="meta.id;src" tablehead="Object" description="Name of the field"/>
    <column name="exptime" unit="s" ucd="time.duration;obs.exposure" tablehead="T" description="Exposure time"/>
    <column name="t_start" type="double precision" unit="d" ucd="time.start;obs.exposure" description="Begin"/>
    <column name="t_end" type="double precision" unit="d" ucd="time.end;obs.exposure" description="End"/>
    <column name="links_url" type="text" ucd="meta.ref.url" description="Links of the image"/>
    <column name="pub_did" type="text" ucd="meta.ref.ivoid" description="Publisher DID"/>
  </table>

  <data id="import">
    <sources pattern="data/*.fits"/>
    <fitsProdGrammar>
      <rowfilter procDef="//products#define">
        <bind key="table">"\schema.main"</bind>
      </rowfilter>
    </fitsProdGrammar>
    <make table="main">
      <rowmaker>
        <map key="object">@OBJECT</map>
        <map key="exptime">@EXPTIME</map>
        <map key="t_start">@MJD_BEG</map>
        <map key="t_end">@MJD_END</map>
        <map key="links_url">\dlMetaURI{dl}</map>
        <map key="pub_did">\standardPubDID</map>
        <apply procDef="//siap#setMeta">
          <bind key="dateObs">@MJD_BEG</bind>
          <bind key="bandpassLo">@WAVE_LO</bind>
          <bind key="bandpassHi">@WAVE_HI</bind>
          <bind key="bandpassRefval">(@WAVE_LO+@WAVE_HI)/2</bind>
          <bind key="pixflags">"C"</bind>
          <bind key="title">@OBJECT</bind>
        </apply>
        <apply procDef="//siap#computePGS"/>
      </rowmaker>
    </make>
  </data>

  <service id="dl" allowed="dlget,dlmeta,dlasync">
    <meta name="title">Links and cutouts</meta>
    <datalinkCore>
      <descriptorGenerator procDef="//soda#fits_genDesc">
        <bind key="descClass">DLFITSProductDescriptor</bind>
        <bind key="accrefPrefix">'fields/data'</bind>
      </descriptorGenerator>
      <FEED source="//soda#fits_standardDLFuncs"/>
    </datalinkCore>
  </service>
</resource>
